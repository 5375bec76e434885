#include "codegen/lower/context.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/error.h"

namespace xgen::lower {

ScaleZero quant_of(const ir::Value& value) {
  if (!value.type.quant)
    throw UserError(str("value \"", value.name, "\" is ", ir::name_of(value.type.dtype),
                        " without a scale: integer kernels want QuantizeLinear before it"));
  XGEN_CHECK(value.type.quant->scale.size() == 1, "value \"", value.name,
             "\" has no quantization per tensor");
  const ir::QuantParams& q = *value.type.quant;
  return {q.scale[0], q.zero_point.empty() ? 0 : q.zero_point[0]};
}

Context::Context(const ir::Graph& graph, const LowerOptions& options)
    : graph_(graph),
      options_(options),
      layouts_(plan_layout(graph)),
      placements_(graph.values().size()),
      buffers_{0} {
  program_.name = graph.name;
  program_.signed_activations = options.signed_activations;
  place_inputs();
}

void Context::place_inputs() {
  for (const ir::ValueId id : graph_.inputs()) {
    external_inputs_[id] = static_cast<int>(program_.inputs.size());
    program_.inputs.push_back(
        {value(id).name, value(id).type.dtype, ir::extents(*value(id).type.shape)});
  }
}

std::size_t Context::buffer(std::size_t bytes) {
  buffers_.push_back((bytes + 63) / 64 * 64);
  return (buffers_.size() - 1) << 40;
}

namespace {

std::size_t aligned(std::size_t bytes) { return (bytes + 63) / 64 * 64; }

}  // namespace

std::size_t Context::store(const void* data, std::size_t bytes) {
  const std::size_t offset = aligned(program_.weights.size());
  const std::size_t all = aligned(program_.weight_bytes()) + bytes;
  program_.weights.resize(offset + bytes);
  program_.unfilled_bytes = all - program_.weights.size();
  if (bytes > 0) std::memcpy(program_.weights.data() + offset, data, bytes);
  return offset;
}

void Context::store_unfilled(std::size_t bytes) {
  program_.unfilled_bytes = aligned(program_.weight_bytes()) + bytes - program_.weights.size();
}

std::int32_t Context::reserve(std::size_t entries) {
  const auto at = static_cast<std::int32_t>(program_.table_count);
  program_.table_count += entries;
  return at;
}

Step& Context::add(Step step) {
  const std::size_t constants = program_.weight_bytes() + 4 * program_.table_count;
  step.constant_bytes = constants - std::exchange(attributed_, constants);
  program_.steps.push_back(std::move(step));
  return program_.steps.back();
}

std::uint32_t Context::border_lane(const ir::Value& v) const {
  if (v.type.dtype != ir::DType::u8) return 0;
  const auto stored =
      static_cast<std::uint32_t>(quant_of(v).zero) ^ (options_.signed_activations ? 0x80U : 0U);
  return stored * 0x01010101U;
}

xgen_planes Context::make_planes(const ir::Value& v, int planes, const Border& border, int pitch,
                                 int phases) {
  xgen_planes p = planes_of(spatial_of(v), planes, border, pitch, phases);
  p.border = border_lane(v);
  p.data += buffer(p.plane * static_cast<std::size_t>(planes * phases));
  return p;
}

int Context::lanes_of(ir::ValueId id) const {
  // A stack is the sum of its slices, each of which starts on a lane of its own.
  const ir::Node* node = graph_.producer(id);
  if (node != nullptr && node->as<ir::Concat>() != nullptr && layout(id).spatial &&
      node->as<ir::Concat>()->axis == 1) {
    int lanes = 0;
    for (const ir::ValueId in : node->inputs) lanes += lanes_of(in);
    return lanes;
  }
  const int per_lane = lane_channels(value(id));
  return (spatial_of(value(id)).channels + per_lane - 1) / per_lane;
}

ChannelMap Context::natural_channels(ir::ValueId id) const {
  const int per_lane = lane_channels(value(id)), channels = spatial_of(value(id)).channels;
  ChannelMap map(static_cast<std::size_t>(channels));
  for (int c = 0; c < channels; ++c)
    map[static_cast<std::size_t>(c)] = per_lane == 1 ? 4 * c : c / per_lane * 4 + c % per_lane;
  return map;
}

xgen_planes& Context::define_planes(ir::ValueId id) {
  Placement& place = at(id);
  if (place.planes) return *place.planes;
  const ValueLayout& l = layout(id);
  if (l.stack != ir::kNoValue) {
    xgen_planes stack = define_planes(l.stack);
    stack.data += static_cast<std::size_t>(l.first_lane) * stack.plane;
    stack.planes = lanes_of(id);
    place.planes = stack;
  } else {
    place.planes = make_planes(value(id), lanes_of(id), l.border, l.pitch, 1);
  }
  if (place.channels.empty()) place.channels = natural_channels(id);
  return *place.planes;
}

const xgen_planes& Context::define_planes_like(ir::ValueId id, ir::ValueId like) {
  if (channels(like) == natural_channels(id)) return define_planes(id);
  const int lanes = *std::max_element(channels(like).begin(), channels(like).end()) / 4 + 1;
  alias_planes(id, make_planes(value(id), lanes, layout(id).border, layout(id).pitch, 1),
               channels(like));
  return *at(id).planes;
}

void Context::forget_planes(ir::ValueId id) {
  at(id).planes.reset();
  at(id).channels.clear();
}

std::size_t Context::define_flat(ir::ValueId id) {
  Placement& place = at(id);
  if (!place.flat) {
    const ir::Extents e = ir::extents(*value(id).type.shape);
    // A vector that reads or writes past the end stays inside.
    place.flat = buffer(
        static_cast<std::size_t>(ir::element_count(e)) * ir::size_of(value(id).type.dtype) + 64);
  }
  return *place.flat;
}

std::int32_t Context::channel_table(ir::ValueId id, std::size_t plane_distance) {
  const ChannelMap& map = channels(id);
  const std::int32_t table = reserve(map.size());
  program_.channel_maps.push_back(
      {table, static_cast<std::int32_t>(map.size()), store(map), plane_distance});
  return table;
}

const ChannelMap& Context::channels(ir::ValueId id) {
  if (at(id).channels.empty()) at(id).channels = natural_channels(id);
  return at(id).channels;
}

xgen_pack Context::pack_args(ir::ValueId id, const xgen_planes& planes) {
  XGEN_CHECK(channels(id) == natural_channels(id), value(id).name, " is packed out of order");
  xgen_pack args{};
  args.planes = planes;
  args.channels = static_cast<std::int32_t>(channels(id).size());
  return args;
}

void Context::pack(ir::ValueId id, const xgen_planes& planes, std::size_t flat, int external) {
  const bool integer = value(id).type.dtype == ir::DType::u8;
  xgen_pack args = pack_args(id, planes);
  args.flat = flat;
  args.external = external;
  add({value(id).name + " to planes", "layout", integer ? "pack_i8" : "pack_f32", "", args});
}

const xgen_planes& Context::planes(ir::ValueId id) {
  if (at(id).planes) return *at(id).planes;
  const auto external = external_inputs_.find(id);
  if (external != external_inputs_.end()) {
    const xgen_planes p = define_planes(id);
    pack(id, p, XGEN_NONE, external->second);
  } else {
    const std::size_t from = flat(id);
    const xgen_planes p = define_planes(id);
    pack(id, p, from, -1);
  }
  return *at(id).planes;
}

const xgen_planes& Context::natural_planes(ir::ValueId id) {
  if (channels(id) == natural_channels(id)) return planes(id);
  const std::size_t from = flat(id);  // while channels() says where they lie
  at(id).channels = natural_channels(id);
  at(id).planes = make_planes(value(id), lanes_of(id), layout(id).border, layout(id).pitch, 1);
  pack(id, *at(id).planes, from, -1);
  return *at(id).planes;
}

const xgen_planes& Context::split(ir::ValueId id, int phases) {
  const auto found = at(id).splits.find(phases);
  if (found != at(id).splits.end()) return found->second;
  const auto wanted = layout(id).splits.find(phases);
  XGEN_CHECK(wanted != layout(id).splits.end(), "no phase form planned for ", value(id).name);
  const auto external = external_inputs_.find(id);
  if (external != external_inputs_.end() && !at(id).planes) {
    const xgen_planes y = make_planes(value(id), lanes_of(id), wanted->second, 0, phases);
    pack(id, y, XGEN_NONE, external->second);
    return at(id).splits[phases] = y;
  }
  xgen_copy args{};
  args.x = planes(id);
  args.y = make_planes(value(id), args.x.planes, wanted->second, 0, phases);
  add({value(id).name + " to phases", "layout", "split_planes", "", args});
  return at(id).splits[phases] = args.y;
}

std::optional<xgen_planes> Context::define_split(ir::ValueId id) {
  if (layout(id).splits.empty()) return std::nullopt;
  const auto& [phases, border] = *layout(id).splits.begin();
  return at(id).splits[phases] = make_planes(value(id), lanes_of(id), border, 0, phases);
}

int Context::external_input(ir::ValueId id) const {
  const auto it = external_inputs_.find(id);
  return it == external_inputs_.end() ? -1 : it->second;
}

void Context::unpack(ir::ValueId id) {
  xgen_pack args{};
  args.planes = planes(id);
  args.flat = define_flat(id);
  args.external = -1;
  args.channel = channel_table(id, args.planes.plane);
  args.channels = static_cast<std::int32_t>(channels(id).size());
  const bool integer = value(id).type.dtype == ir::DType::u8;
  add({value(id).name + " to row-major", "layout", integer ? "unpack_i8" : "unpack_f32", "", args});
}

std::size_t Context::flat(ir::ValueId id) {
  Placement& place = at(id);
  if (place.flat) return *place.flat;
  if (const ir::Constant* constant = graph_.constant(id)) {
    std::vector<std::byte> bytes = constant->bytes;
    bytes.resize(bytes.size() + 64);
    return *(place.flat = store(bytes) | XGEN_CONSTANT);
  }
  const auto external = external_inputs_.find(id);
  if (external != external_inputs_.end()) {
    xgen_transfer args{};
    args.at = define_flat(id);
    args.external = external->second;
    args.flip = value(id).type.dtype == ir::DType::u8 && options_.signed_activations;
    args.bytes = static_cast<std::size_t>(ir::element_count(ir::extents(*value(id).type.shape))) *
                 ir::size_of(value(id).type.dtype);
    add({value(id).name + " in", "layout", "transfer", "", args});
    return *place.flat;
  }
  XGEN_CHECK(place.planes, "value \"", value(id).name, "\" is read before it is computed");
  unpack(id);
  return *at(id).flat;
}

void Context::alias_planes(ir::ValueId id, const xgen_planes& planes, ChannelMap map) {
  at(id).planes = planes;
  at(id).channels = std::move(map);
}

Program Context::finish() {
  for (std::size_t i = 0; i < graph_.outputs().size(); ++i) {
    const ir::ValueId id = graph_.outputs()[i];
    program_.outputs.push_back(
        {value(id).name, value(id).type.dtype, ir::extents(*value(id).type.shape)});
    if (at(id).planes && !at(id).flat) {
      xgen_pack args{};
      args.planes = *at(id).planes;
      args.flat = XGEN_NONE;
      args.external = static_cast<int>(i);
      args.channel = channel_table(id, args.planes.plane);
      args.channels = static_cast<std::int32_t>(channels(id).size());
      add({value(id).name + " out", "layout",
           value(id).type.dtype == ir::DType::u8 ? "unpack_i8" : "unpack_f32", "", args});
      continue;
    }
    std::size_t from = flat(id);
    const std::size_t bytes =
        static_cast<std::size_t>(ir::element_count(ir::extents(*value(id).type.shape))) *
        ir::size_of(value(id).type.dtype);
    if ((from & XGEN_CONSTANT) != 0) {
      xgen_move move{};
      move.x = from;
      move.y = from = buffer(bytes);
      move.size = 1;
      move.rank = 1;
      move.extent[0] = static_cast<std::int32_t>(bytes);
      move.x_stride[0] = move.y_stride[0] = 1;
      add({value(id).name, "Constant", "move", "", move});
    }
    xgen_transfer args{};
    args.at = from;
    args.external = static_cast<int>(i);
    args.output = 1;
    args.flip = value(id).type.dtype == ir::DType::u8 && options_.signed_activations;
    args.bytes = bytes;
    add({value(id).name + " out", "layout", "transfer", "", args});
  }
  return std::move(program_);
}

}  // namespace xgen::lower
