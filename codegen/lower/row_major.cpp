#include <algorithm>
#include <limits>

#include "codegen/lower/context.h"

/// What has no form over planes runs on row-major tensors: exact and general rather than fast.
namespace xgen::lower {

namespace {

using ir::Extents;
using ir::Node;
using ir::ValueId;

[[noreturn]] void refuse(const Node& node, const std::string& why) {
  throw UserError(str("node \"", node.name, "\" (", ir::op_name(node.op), "): ", why));
}

Extents extents_of(Context& context, ValueId id) {
  return ir::extents(*context.value(id).type.shape);
}

std::vector<std::ptrdiff_t> strides_of(const Extents& e) {
  std::vector<std::ptrdiff_t> strides(e.size(), 1);
  for (std::size_t d = e.size(); d-- > 1;)
    strides[d - 1] = strides[d] * static_cast<std::ptrdiff_t>(e[d]);
  return strides;
}

void check_rank(const Node& node, std::size_t rank) {
  if (rank > XGEN_MAX_RANK)
    refuse(node, str("rank ", rank, " is more than ", static_cast<int>(XGEN_MAX_RANK)));
}

// y[y_start + i * y_stride] = x[x_start + i * x_stride] over `extent`.
void add_move(Context& context, const Node& node, std::size_t x, std::size_t y,
              const Extents& extent, std::vector<std::ptrdiff_t> x_stride,
              std::vector<std::ptrdiff_t> y_stride, std::ptrdiff_t x_start,
              std::ptrdiff_t y_start) {
  if (ir::element_count(extent) == 0) return;
  check_rank(node, extent.size());
  xgen_move args{};
  args.x = x;
  args.y = y;
  args.size = static_cast<std::int32_t>(ir::size_of(context.value(node.output()).type.dtype));
  args.rank = static_cast<std::int32_t>(std::max<std::size_t>(1, extent.size()));
  args.extent[0] = 1;
  for (std::size_t d = 0; d < extent.size(); ++d) {
    args.extent[d] = static_cast<std::int32_t>(extent[d]);
    args.x_stride[d] = x_stride[d];
    args.y_stride[d] = y_stride[d];
  }
  args.x_start = x_start;
  args.y_start = y_start;
  context.add({node.name, ir::op_name(node.op), "move", ir::to_string(ir::to_shape(extent)), args});
}

void lower_transpose(Context& context, const Node& node, const ir::Transpose& transpose) {
  const Extents x = extents_of(context, node.inputs[0]), y = extents_of(context, node.output());
  const auto from = strides_of(x);
  std::vector<std::ptrdiff_t> permuted;
  for (std::size_t d = 0; d < y.size(); ++d) {
    const std::size_t source =
        transpose.perm.empty() ? y.size() - 1 - d : static_cast<std::size_t>(transpose.perm[d]);
    permuted.push_back(from[source]);
  }
  const std::size_t in = context.flat(node.inputs[0]);
  add_move(context, node, in, context.define_flat(node.output()), y, permuted, strides_of(y), 0, 0);
}

void lower_slice(Context& context, const Node& node) {
  const Extents x = extents_of(context, node.inputs[0]), y = extents_of(context, node.output());
  const auto constant = [&](std::size_t i) -> std::vector<std::int64_t> {
    if (node.input(i) == ir::kNoValue) return {};
    const ir::Constant* c = context.graph().constant(node.input(i));
    if (c == nullptr) refuse(node, "starts, axes and steps must be constant");
    return c->as_integers();
  };
  const auto starts = constant(1), axes = constant(3), steps = constant(4);
  const auto from = strides_of(x);
  std::vector<std::ptrdiff_t> stepped = from;
  std::ptrdiff_t origin = 0;
  for (std::size_t i = 0; i < starts.size(); ++i) {
    std::int64_t axis = axes.empty() ? static_cast<std::int64_t>(i) : axes[i];
    if (axis < 0) axis += static_cast<std::int64_t>(x.size());
    const auto d = static_cast<std::size_t>(axis);
    const std::int64_t step = steps.empty() ? 1 : steps[i];
    const std::int64_t low = step > 0 ? 0 : 0, high = step > 0 ? x[d] : x[d] - 1;
    const std::int64_t start = std::clamp(starts[i] < 0 ? starts[i] + x[d] : starts[i], low, high);
    origin += from[d] * static_cast<std::ptrdiff_t>(start);
    stepped[d] = from[d] * static_cast<std::ptrdiff_t>(step);
  }
  const std::size_t in = context.flat(node.inputs[0]);
  add_move(context, node, in, context.define_flat(node.output()), y, stepped, strides_of(y), origin,
           0);
}

void lower_concat(Context& context, const Node& node, const ir::Concat& concat) {
  const Extents y = extents_of(context, node.output());
  const auto to = strides_of(y);
  const auto axis = static_cast<std::size_t>(
      concat.axis < 0 ? concat.axis + static_cast<std::int64_t>(y.size()) : concat.axis);
  std::ptrdiff_t start = 0;
  for (const ValueId in : node.inputs) {
    if (context.value(in).type.quant != context.value(node.output()).type.quant)
      refuse(node, "row-major operands of different scales");
    const Extents x = extents_of(context, in);
    const std::size_t from = context.flat(in);
    add_move(context, node, from, context.define_flat(node.output()), x, strides_of(x), to, 0,
             start);
    start += to[axis] * static_cast<std::ptrdiff_t>(x[axis]);
  }
}

void lower_pad(Context& context, const Node& node) {
  const ir::Constant *pads = context.graph().constant(node.input(1)),
                     *value = context.graph().constant(node.input(2));
  if (pads == nullptr || (node.input(2) != ir::kNoValue && value == nullptr))
    refuse(node, "pads and value must be constant");
  const bool integer = context.value(node.output()).type.dtype == ir::DType::u8;
  if (!integer && context.value(node.output()).type.dtype != ir::DType::f32)
    refuse(node, "only fp32 and u8");
  const Extents x = extents_of(context, node.inputs[0]), y = extents_of(context, node.output());
  const auto p = pads->as_integers();
  for (const std::int64_t pad : p) {
    if (pad < 0) refuse(node, "negative pads");
  }
  const std::size_t in = context.flat(node.inputs[0]), out = context.define_flat(node.output());
  // The whole output gets the value, then the input is laid into it.
  std::vector<std::ptrdiff_t> repeat(y.size(), 0), to = strides_of(y);
  std::size_t fill = 0;
  if (integer) {
    const std::uint32_t lane = context.border_lane(context.value(node.output()));
    fill = context.store(&lane, 4);
  } else {
    const float v = value == nullptr ? 0.0F : value->as<float>()[0];
    fill = context.store(&v, 4);
  }
  add_move(context, node, fill | XGEN_CONSTANT, out, y, repeat, to, 0, 0);
  std::ptrdiff_t start = 0;
  for (std::size_t d = 0; d < y.size(); ++d) start += to[d] * static_cast<std::ptrdiff_t>(p[d]);
  add_move(context, node, in, out, x, strides_of(x), to, 0, start);
}

// Indices known at compile time, one move for each.
void lower_gather(Context& context, const Node& node, const ir::Gather& gather) {
  const ir::Constant* indices = context.graph().constant(node.inputs[1]);
  if (indices == nullptr) refuse(node, "indices must be constant");
  const Extents x = extents_of(context, node.inputs[0]);
  const auto axis = static_cast<std::size_t>(
      gather.axis < 0 ? gather.axis + static_cast<std::int64_t>(x.size()) : gather.axis);
  const std::int64_t outer =
      ir::element_count(Extents(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(axis)));
  const std::int64_t inner =
      ir::element_count(Extents(x.begin() + static_cast<std::ptrdiff_t>(axis) + 1, x.end()));
  const auto list = indices->as_integers();
  const std::size_t in = context.flat(node.inputs[0]), out = context.define_flat(node.output());
  const auto count = static_cast<std::ptrdiff_t>(list.size());
  for (std::ptrdiff_t i = 0; i < count; ++i) {
    const std::int64_t index = list[static_cast<std::size_t>(i)] < 0
                                   ? list[static_cast<std::size_t>(i)] + x[axis]
                                   : list[static_cast<std::size_t>(i)];
    if (index < 0 || index >= x[axis]) refuse(node, str("index ", index, " of ", x[axis]));
    add_move(context, node, in, out, {outer, inner},
             {static_cast<std::ptrdiff_t>(x[axis] * inner), 1},
             {count * static_cast<std::ptrdiff_t>(inner), 1},
             static_cast<std::ptrdiff_t>(index * inner), i * static_cast<std::ptrdiff_t>(inner));
  }
}

void lower_unary(Context& context, const Node& node, const ir::Unary& unary) {
  if (context.value(node.output()).type.dtype != ir::DType::f32)
    refuse(node, "only fp32 at a single position or row major");
  xgen_map args{};
  args.x = context.flat(node.inputs[0]);
  if ((args.x & XGEN_CONSTANT) != 0) refuse(node, "of a constant");
  args.y = context.define_flat(node.output());
  args.count = static_cast<std::int32_t>(ir::element_count(extents_of(context, node.output())));
  args.kind = unary_code(unary.kind);
  args.alpha = unary.alpha;
  args.beta = unary.beta;
  args.low = unary.kind == ir::Unary::Kind::relu ? 0 : unary.low;
  args.high = unary.high;
  context.add({node.name, ir::op_name(node.op), "map_f32", str(args.count, " elements"), args});
}

void lower_binary(Context& context, const Node& node, const ir::Binary& binary) {
  if (context.value(node.output()).type.dtype != ir::DType::f32)
    refuse(node, "only fp32 with broadcasting or row major");
  const Extents y = extents_of(context, node.output());
  check_rank(node, y.size());
  xgen_broadcast args{};
  args.rank = static_cast<std::int32_t>(std::max<std::size_t>(1, y.size()));
  args.extent[0] = 1;
  const auto broadcast = [&](ValueId id, std::ptrdiff_t* strides) {
    const Extents e = extents_of(context, id);
    const auto own = strides_of(e);
    for (std::size_t d = 0; d < y.size(); ++d) {
      const std::size_t missing = y.size() - e.size();
      strides[d] = d < missing || e[d - missing] == 1 ? 0 : own[d - missing];
      args.extent[d] = static_cast<std::int32_t>(y[d]);
    }
  };
  broadcast(node.inputs[0], args.a_stride);
  broadcast(node.inputs[1], args.b_stride);
  args.kind = binary_code(binary.kind);
  args.a = context.flat(node.inputs[0]);
  args.b = context.flat(node.inputs[1]);
  args.y = context.define_flat(node.output());
  context.add(
      {node.name, ir::op_name(node.op), "broadcast_f32", ir::to_string(ir::to_shape(y)), args});
}

void lower_axis(Context& context, const Node& node, std::int64_t first, std::int64_t last,
                const std::string& kernel, int kind) {
  const Extents x = extents_of(context, node.inputs[0]);
  xgen_axis args{};
  args.outer = static_cast<std::int32_t>(ir::element_count(Extents(x.begin(), x.begin() + first)));
  args.axis =
      static_cast<std::int32_t>(ir::element_count(Extents(x.begin() + first, x.begin() + last)));
  args.inner = static_cast<std::int32_t>(ir::element_count(Extents(x.begin() + last, x.end())));
  args.kind = kind;
  args.x = context.flat(node.inputs[0]);
  args.y = context.define_flat(node.output());
  context.add({node.name, ir::op_name(node.op), kernel, ir::to_string(ir::to_shape(x)), args});
}

void lower_reduce(Context& context, const Node& node, const ir::Reduce& reduce) {
  const auto rank = static_cast<std::int64_t>(extents_of(context, node.inputs[0]).size());
  std::vector<std::int64_t> axes;
  if (node.input(1) == ir::kNoValue) {
    for (std::int64_t d = 0; d < rank; ++d) axes.push_back(d);
  } else {
    const ir::Constant* c = context.graph().constant(node.input(1));
    if (c == nullptr) refuse(node, "axes must be constant");
    for (const std::int64_t a : c->as_integers()) axes.push_back(a < 0 ? a + rank : a);
  }
  std::sort(axes.begin(), axes.end());
  if (axes.empty() || axes.back() - axes.front() + 1 != static_cast<std::int64_t>(axes.size()))
    refuse(node, "axes must be neighbours");
  lower_axis(context, node, axes.front(), axes.back() + 1, "reduce_f32",
             static_cast<int>(reduce.kind));
}

void lower_matmul(Context& context, const Node& node) {
  const Extents a = extents_of(context, node.inputs[0]), b = extents_of(context, node.inputs[1]),
                y = extents_of(context, node.output());
  if (a.size() < 2 || b.size() < 2) refuse(node, "operands of rank 1");
  const std::size_t ra = a.size(), rb = b.size();
  xgen_matmul args{};
  args.m = static_cast<std::int32_t>(a[ra - 2]);
  args.k = static_cast<std::int32_t>(a[ra - 1]);
  args.n = static_cast<std::int32_t>(b[rb - 1]);
  args.batch = static_cast<std::int32_t>(ir::element_count(y) / (args.m * args.n));
  const std::int64_t batch_a = ir::element_count(a) / (args.m * args.k),
                     batch_b = ir::element_count(b) / (args.k * args.n);
  if ((batch_a != 1 && batch_a != args.batch) || (batch_b != 1 && batch_b != args.batch))
    refuse(node, "batch dimensions that broadcast in part");
  args.a_m = args.k;
  args.a_k = 1;
  args.b_k = args.n;
  args.b_n = 1;
  args.a_batch = batch_a == 1 ? 0 : static_cast<std::ptrdiff_t>(args.m) * args.k;
  args.b_batch = batch_b == 1 ? 0 : static_cast<std::ptrdiff_t>(args.k) * args.n;
  args.a = context.flat(node.inputs[0]);
  args.b = context.flat(node.inputs[1]);
  args.y = context.define_flat(node.output());
  Step step{node.name, "MatMul", "matmul_f32",
            str(args.batch, " x ", args.m, "x", args.k, "x", args.n), args};
  step.macs = step.dense_macs = static_cast<std::int64_t>(args.batch) * args.m * args.k * args.n;
  context.add(step);
}

void lower_gemm(Context& context, const Node& node, const ir::Gemm& gemm) {
  if (node.input(2) != ir::kNoValue || gemm.alpha != 1)
    refuse(node, "with a bias or alpha, which should have become additions");
  const Extents a = extents_of(context, node.inputs[0]), y = extents_of(context, node.output());
  xgen_matmul args{};
  args.batch = 1;
  args.m = static_cast<std::int32_t>(y[0]);
  args.n = static_cast<std::int32_t>(y[1]);
  args.k = static_cast<std::int32_t>(gemm.trans_a ? a[0] : a[1]);
  args.a_m = gemm.trans_a ? 1 : args.k;
  args.a_k = gemm.trans_a ? args.m : 1;
  args.b_k = gemm.trans_b ? 1 : args.n;
  args.b_n = gemm.trans_b ? args.k : 1;
  args.a = context.flat(node.inputs[0]);
  args.b = context.flat(node.inputs[1]);
  args.y = context.define_flat(node.output());
  Step step{node.name, "Gemm", "matmul_f32", str(args.m, "x", args.k, "x", args.n), args};
  step.macs = step.dense_macs = static_cast<std::int64_t>(args.m) * args.k * args.n;
  context.add(step);
}

// fp32 -> u8: straight into planes where a spatial reader wants them.
void lower_quantize(Context& context, const Node& node) {
  const ValueId in = node.inputs[0], out = node.output();
  if (context.value(in).type.dtype != ir::DType::f32 ||
      context.value(out).type.dtype != ir::DType::u8)
    refuse(node, "only fp32 to u8");
  const ScaleZero q = quant_of(context.value(out));
  if (context.layout(out).spatial) {
    xgen_pack args = context.pack_args(out, context.define_planes(out));
    // The caller's own tensor is read where it lies.
    args.external = context.has_flat(in) ? -1 : context.external_input(in);
    args.flat = args.external >= 0 ? XGEN_NONE : context.flat(in);
    args.quantize = 1;
    args.scale = q.scale;
    args.zero = q.zero;
    context.add({node.name, "QuantizeLinear", "pack_i8", "", args});
    return;
  }
  xgen_quantize args{};
  args.x = context.flat(in);
  args.y = context.define_flat(out);
  args.count = static_cast<std::int32_t>(ir::element_count(extents_of(context, out)));
  args.scale = q.scale;
  args.zero = q.zero;
  context.add({node.name, "QuantizeLinear", "quantize", str(args.count, " elements"), args});
}

void lower_dequantize(Context& context, const Node& node) {
  const ValueId in = node.inputs[0], out = node.output();
  if (context.value(in).type.dtype != ir::DType::u8 ||
      context.value(out).type.dtype != ir::DType::f32)
    refuse(node, "only u8 to fp32");
  const ScaleZero q = quant_of(context.value(in));
  if (context.layout(in).spatial && context.has_planes(in)) {
    xgen_pack args{};
    args.planes = context.planes(in);
    args.flat = context.define_flat(out);
    args.external = -1;
    args.channel = context.channel_table(in, args.planes.plane);
    args.channels = static_cast<std::int32_t>(context.channels(in).size());
    args.quantize = 1;
    args.scale = q.scale;
    args.zero = q.zero;
    context.add({node.name, "DequantizeLinear", "unpack_i8", "", args});
    return;
  }
  xgen_quantize args{};
  args.x = context.flat(in);
  args.y = context.define_flat(out);
  args.count = static_cast<std::int32_t>(ir::element_count(extents_of(context, out)));
  args.dequantize = 1;
  args.scale = q.scale;
  args.zero = q.zero;
  context.add({node.name, "DequantizeLinear", "quantize", str(args.count, " elements"), args});
}

bool is_rename(const Node& node) {
  return node.as<ir::Reshape>() != nullptr || node.as<ir::Flatten>() != nullptr ||
         node.as<ir::Squeeze>() != nullptr || node.as<ir::Unsqueeze>() != nullptr ||
         node.as<ir::Dropout>() != nullptr;
}

}  // namespace

void lower_row_major(Context& context, const Node& node) {
  if (is_rename(node)) {
    context.alias_flat(node.output(), context.flat(node.inputs[0]));
    return;
  }
  if (node.as<ir::QuantizeLinear>() != nullptr) return lower_quantize(context, node);
  if (node.as<ir::DequantizeLinear>() != nullptr) return lower_dequantize(context, node);
  if (const auto* op = node.as<ir::Transpose>()) return lower_transpose(context, node, *op);
  if (node.as<ir::Slice>() != nullptr) return lower_slice(context, node);
  if (const auto* op = node.as<ir::Concat>()) return lower_concat(context, node, *op);
  if (node.as<ir::Pad>() != nullptr) return lower_pad(context, node);
  if (const auto* op = node.as<ir::Gather>()) return lower_gather(context, node, *op);
  const bool real = std::all_of(node.inputs.begin(), node.inputs.end(), [&](ValueId in) {
    return in == ir::kNoValue || context.value(in).type.dtype == ir::DType::f32 ||
           context.graph().is_constant(in);
  });
  if (!real || context.value(node.output()).type.dtype != ir::DType::f32)
    refuse(node, "has no integer kernel here");
  if (const auto* op = node.as<ir::Unary>()) return lower_unary(context, node, *op);
  if (const auto* op = node.as<ir::Binary>()) return lower_binary(context, node, *op);
  if (const auto* op = node.as<ir::Softmax>()) {
    const auto rank = static_cast<std::int64_t>(extents_of(context, node.inputs[0]).size());
    const std::int64_t axis = op->axis < 0 ? op->axis + rank : op->axis;
    return lower_axis(context, node, axis, axis + 1, "softmax_f32", 0);
  }
  if (const auto* op = node.as<ir::Reduce>()) return lower_reduce(context, node, *op);
  if (node.as<ir::MatMul>() != nullptr) return lower_matmul(context, node);
  if (const auto* op = node.as<ir::Gemm>()) return lower_gemm(context, node, *op);
  refuse(node, "no kernel serves these types and shapes");
}

}  // namespace xgen::lower
