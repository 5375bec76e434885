#include "core/onnx/node_importer.h"

#include "core/ir/shapes/context.h"

namespace xgen::onnx_io {

using onnx::AttributeProto;

ir::ValueId ImportState::add_constant(const std::string& name, ir::Constant constant) {
  const ir::ValueId id = graph.add_constant(name, std::move(constant));
  values.push_back(ir::infer_source(graph.value(id)));
  return id;
}

ir::ValueId ImportState::add_node(const std::string& name, ir::Op op,
                                  std::vector<ir::ValueId> inputs, const std::string& output_name) {
  std::string unique = name;
  for (int n = 1; graph.find_node(unique) != nullptr; ++n) unique = str(name, "_", n);
  const ir::ValueId id = graph.add_node(unique, std::move(op), std::move(inputs), output_name);
  values.emplace_back();
  ir::infer_node(graph, graph.nodes().back(), values);
  graph.value(id).type = values.back().type;
  return id;
}

const AttributeProto* NodeImporter::find(const std::string& key) const {
  for (const AttributeProto& a : proto_.attribute()) {
    if (a.name() == key) return &a;
  }
  return nullptr;
}

namespace {

bool has_kind(const AttributeProto& attribute, AttributeProto::AttributeType type) {
  // Files of the first versions leave the type away.
  return attribute.type() == type || attribute.type() == AttributeProto::UNDEFINED;
}

}  // namespace

std::int64_t NodeImporter::integer(const std::string& key, std::int64_t fallback) const {
  const AttributeProto* a = find(key);
  if (a == nullptr) return fallback;
  if (!has_kind(*a, AttributeProto::INT)) fail("attribute \"", key, "\" must be an integer");
  return a->i();
}

std::int64_t NodeImporter::required_integer(const std::string& key) const {
  if (!has_attribute(key)) fail("attribute \"", key, "\" is missing");
  return integer(key, 0);
}

float NodeImporter::real(const std::string& key, float fallback) const {
  const AttributeProto* a = find(key);
  if (a == nullptr) return fallback;
  if (!has_kind(*a, AttributeProto::FLOAT)) fail("attribute \"", key, "\" must be a float");
  return a->f();
}

std::string NodeImporter::text(const std::string& key, const std::string& fallback) const {
  const AttributeProto* a = find(key);
  if (a == nullptr) return fallback;
  if (!has_kind(*a, AttributeProto::STRING)) fail("attribute \"", key, "\" must be a string");
  return a->s();
}

std::vector<std::int64_t> NodeImporter::integers(const std::string& key,
                                                 std::vector<std::int64_t> fallback) const {
  const AttributeProto* a = find(key);
  if (a == nullptr) return fallback;
  if (!has_kind(*a, AttributeProto::INTS))
    fail("attribute \"", key, "\" must be a list of integers");
  return {a->ints().begin(), a->ints().end()};
}

std::vector<float> NodeImporter::reals(const std::string& key) const {
  const AttributeProto* a = find(key);
  if (a == nullptr) return {};
  if (!has_kind(*a, AttributeProto::FLOATS))
    fail("attribute \"", key, "\" must be a list of floats");
  return {a->floats().begin(), a->floats().end()};
}

ir::ValueId NodeImporter::input(std::size_t i) const {
  if (i >= input_count()) return ir::kNoValue;
  const std::string& wanted = proto_.input(static_cast<int>(i));
  if (wanted.empty()) return ir::kNoValue;
  const auto at = state_.scope.find(wanted);
  if (at == state_.scope.end()) {
    fail("input \"", wanted,
         "\" is not defined before this node; nodes must be in topological order");
  }
  return at->second;
}

ir::ValueId NodeImporter::required(std::size_t i) const {
  const ir::ValueId id = input(i);
  if (id == ir::kNoValue) fail("input ", i, " is missing");
  return id;
}

std::vector<ir::ValueId> NodeImporter::all_inputs() const {
  std::vector<ir::ValueId> ids;
  for (std::size_t i = 0; i < input_count(); ++i) ids.push_back(required(i));
  if (ids.empty()) fail("there are no inputs");
  return ids;
}

std::vector<std::int64_t> NodeImporter::known_integers(std::size_t i,
                                                       const std::string& what) const {
  const auto& elements = known(required(i)).elements;
  std::vector<std::int64_t> result;
  if (!elements) fail(what, " must be known without running the model");
  for (const ir::Dim& dim : *elements) {
    if (!dim.is_static()) fail(what, " depends on the unbound dimension ", dim.symbol);
    result.push_back(dim.size);
  }
  return result;
}

float NodeImporter::constant_real(std::size_t i, float fallback, const std::string& what) const {
  if (!has_input(i)) return fallback;
  const ir::Constant* c = state_.graph.constant(input(i));
  if (c == nullptr) fail(what, " must be a constant");
  if (c->size() != 1) fail(what, " must be one number, has ", c->size());
  if (c->dtype == ir::DType::f32) return c->as<float>()[0];
  if (c->dtype == ir::DType::f64) return static_cast<float>(c->as<double>()[0]);
  if (c->dtype == ir::DType::i64 || c->dtype == ir::DType::i32)
    return static_cast<float>(c->as_integers()[0]);
  fail(what, " of type ", name_of(c->dtype), " is not supported");
}

ir::ValueId NodeImporter::integers_constant(const std::string& suffix,
                                            const std::vector<std::int64_t>& values) {
  return constant(
      suffix, ir::Constant::of<std::int64_t>({static_cast<std::int64_t>(values.size())}, values));
}

ir::ValueId NodeImporter::constant(const std::string& suffix, ir::Constant value) {
  return state_.add_constant(str(name_, ".", suffix), std::move(value));
}

void NodeImporter::emit_output(std::size_t i, const std::string& name, ir::Op op,
                               std::vector<ir::ValueId> inputs) {
  while (!inputs.empty() && inputs.back() == ir::kNoValue) inputs.pop_back();
  const std::string& output = proto_.output(static_cast<int>(i));
  if (output.empty()) return;  // nobody wants it
  const auto renamed = state_.renamed.find(output);
  state_.scope[output] =
      state_.add_node(name, std::move(op), std::move(inputs),
                      renamed == state_.renamed.end() ? output : renamed->second);
}

ir::ValueId NodeImporter::emit_helper(const std::string& suffix, ir::Op op,
                                      std::vector<ir::ValueId> inputs) {
  const std::string helper = str(name_, ".", suffix);
  return state_.add_node(helper, std::move(op), std::move(inputs),
                         state_.graph.unique_value_name(helper));
}

void NodeImporter::alias(ir::ValueId id) { state_.scope[proto_.output(0)] = id; }

}  // namespace xgen::onnx_io
