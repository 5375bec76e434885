#include "codegen/compile.h"

#include <algorithm>
#include <set>

#include "codegen/lower/lower.h"
#include "core/error.h"
#include "core/ir/infer_shapes.h"

namespace xgen {

namespace {

// The symbols that are batches: leading extents of every input and output they occur in, and of
// nothing else there.
std::set<std::string> batch_symbols(const ir::Graph& graph) {
  std::set<std::string> leading, inner;
  for (const auto* list : {&graph.inputs(), &graph.outputs()}) {
    for (const ir::ValueId id : *list) {
      const auto& shape = graph.value(id).type.shape;
      for (std::size_t d = 0; shape && d < shape->size(); ++d) {
        if (!(*shape)[d].is_static()) (d == 0 ? leading : inner).insert((*shape)[d].symbol);
      }
    }
  }
  for (const std::string& symbol : inner) leading.erase(symbol);
  return leading;
}

// Binds every symbol; `batch` becomes the number of images a run, and stays 0 where shapes are
// fixed.
ir::Graph bind_symbols(const ir::Graph& model, const CompileOptions& options,
                       std::vector<std::string>& notes, int& batch) {
  const std::vector<std::string> symbols = ir::free_symbols(model);
  const std::set<std::string> batches = batch_symbols(model);
  std::map<std::string, std::int64_t> sizes;
  std::string missing;
  for (const std::string& symbol : symbols) {
    const auto given = options.dims.find(symbol);
    if (batches.count(symbol) != 0) {
      // Kernels are made for one image; a run loops over the batch.
      const std::int64_t wanted = given != options.dims.end() ? given->second : options.batch;
      if (wanted < 1 || wanted > 4096 || (batch > 0 && wanted != batch))
        throw UserError(str("model \"", model.name, "\": --dim ", symbol, "=", wanted,
                            ": expected one batch size in [1, 4096]"));
      sizes[symbol] = 1;
      batch = static_cast<int>(wanted);
      if (given == options.dims.end() && batch == 1)
        notes.push_back(str("the batch \"", symbol, "\" is 1"));
    } else if (given != options.dims.end()) {
      sizes[symbol] = given->second;
    } else {
      missing += str(missing.empty() ? "" : ", ", "\"", symbol, "\"");
    }
  }
  if (!missing.empty())
    throw UserError(str("model \"", model.name, "\": dimensions without a size: ", missing,
                        "; bind them with --dim NAME=N"));
  for (const auto& [name, size] : options.dims) {
    if (std::find(symbols.begin(), symbols.end(), name) != symbols.end()) continue;
    std::string known;
    for (const std::string& s : symbols) known += str(known.empty() ? "" : ", ", "\"", s, "\"");
    throw UserError(str("model \"", model.name, "\" has no dimension \"", name, "\"; it has ",
                        known.empty() ? "none without a size" : known));
  }
  return sizes.empty() ? model : ir::bind_dims(model, sizes);
}

}  // namespace

lower::LowerOptions lowering_for(const Target& target) {
  lower::LowerOptions lowering;
  lowering.signed_activations = target.signed_activations;
  lowering.dense_group_f32 = target.dense_group_fp32;
  lowering.dense_group_i8 = target.dense_group_int8;
  lowering.vector_lanes = target.vector_lanes;
  lowering.cache_bytes = target.l2_bytes;
  return lowering;
}

Program lower_dense(const CompiledModel& model, const std::set<std::string>* nodes) {
  ir::Graph graph = model.graph;
  for (const ir::Node& node : model.graph.nodes()) {
    if (node.as<ir::Conv>() != nullptr && (nodes == nullptr || nodes->count(node.name) != 0))
      graph.value(node.inputs[1]).sparsity.reset();
  }
  Program program = lower::lower(graph, lowering_for(model.target));
  program.batch = model.program.batch;
  return program;
}

CompiledModel prepare(const ir::Graph& model, const CompileOptions& options) {
  CompiledModel result;
  result.target = options.target;
  int batch = 0;
  ir::Graph graph = bind_symbols(ir::infer_shapes(model), options, result.notes, batch);
  if (options.batch > 1 && batch == 0)
    throw UserError(str("model \"", model.name, "\": a batch of ", options.batch,
                        " needs a symbolic leading dimension; its shapes are fixed"));
  result.batch = std::max(1, batch);
  passes::PipelineOptions pipeline = options.pipeline;
  pipeline.fold_values = pipeline.fold_values && options.fill_weights;
  result.graph = passes::run_pipeline(std::move(graph), pipeline, &result.passes);
  return result;
}

CompiledModel compile(const ir::Graph& model, const CompileOptions& options) {
  CompiledModel result = prepare(model, options);
  lower::LowerOptions lowering = lowering_for(options.target);
  lowering.use_sparsity = options.use_sparsity;
  lowering.fill_weights = options.fill_weights;
  result.program = lower::lower(result.graph, lowering);
  result.program.batch = result.batch;
  return result;
}

}  // namespace xgen
