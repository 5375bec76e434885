#include "codegen/lower/layout.h"

#include <algorithm>

#include "core/disjoint_sets.h"

namespace xgen::lower {

using ir::Graph;
using ir::Node;
using ir::Value;
using ir::ValueId;

namespace {

constexpr int kLine = 16;  // lanes of a cache line, and of the widest vector

int round_up(int n, int to) { return (n + to - 1) / to * to; }

}  // namespace

void Border::widen(const Border& other) {
  top = std::max(top, other.top);
  left = std::max(left, other.left);
  bottom = std::max(bottom, other.bottom);
  right = std::max(right, other.right);
}

bool is_spatial(const Value& value) {
  if (!value.type.shape || value.type.shape->size() != 4 || value.constant != nullptr) return false;
  if (value.type.dtype != ir::DType::f32 && value.type.dtype != ir::DType::u8) return false;
  const ir::Extents e = ir::extents(*value.type.shape);
  return e[0] == 1 && e[2] * e[3] > 1;
}

Spatial spatial_of(const Value& value) {
  const ir::Extents e = ir::extents(*value.type.shape);
  return {static_cast<int>(e[1]), static_cast<int>(e[2]), static_cast<int>(e[3])};
}

int lane_channels(const Value& value) { return value.type.dtype == ir::DType::u8 ? 4 : 1; }

ConvReading reading_of(const ir::Conv& conv, bool one_position) {
  ConvReading reading;
  reading.border = {static_cast<int>(conv.pads[0]), static_cast<int>(conv.pads[1]),
                    static_cast<int>(conv.pads[2]), static_cast<int>(conv.pads[3])};
  if (!one_position) reading.phases = static_cast<int>(conv.strides[1]);
  reading.same_positions = !one_position && conv.strides[0] == 1 && conv.strides[1] == 1;
  return reading;
}

int pitch_of(int width, const Border& border) {
  return width + std::max(border.left, border.right);
}

xgen_planes planes_of(const Spatial& extents, int planes, const Border& border, int pitch,
                      int phases) {
  xgen_planes p{};
  p.planes = planes;
  p.height = extents.height;
  p.width = extents.width;
  p.top = border.top;
  p.left = border.left;
  p.bottom = border.bottom;
  p.right = border.right;
  p.phases = phases;
  p.pitch = phases > 1 ? (p.width + p.left + p.right + phases - 1) / phases : pitch;
  // The first interior position is aligned; a tile may overrun the end by a vector; the distance
  // between planes is an odd number of cache lines, because planes 4,096 bytes apart share one set
  // of L1.
  const int front = round_up(p.top * p.pitch + (phases > 1 ? 0 : p.left), kLine);
  const int rest = round_up((p.height + p.bottom) * p.pitch + p.right + kLine, kLine);
  int lanes = front + rest;
  if (lanes / kLine % 2 == 0) lanes += kLine;
  p.plane = 4 * static_cast<std::size_t>(lanes);
  p.data = 4 * static_cast<std::size_t>(front);
  return p;
}

namespace {

bool same_quant(const Value& a, const Value& b) {
  return a.type.dtype == b.type.dtype && a.type.quant == b.type.quant;
}

class Planner {
 public:
  explicit Planner(const Graph& graph)
      : graph_(graph),
        uses_(graph),
        layouts_(graph.values().size()),
        sets_(graph.values().size()) {}

  std::vector<ValueLayout> plan() {
    for (std::size_t v = 0; v < layouts_.size(); ++v)
      layouts_[v].spatial = is_spatial(graph_.values()[v]);
    // Windows read planes and write planes, down to a single position.
    for (const Node& node : graph_.nodes()) {
      if (node.as<ir::MaxPool>() != nullptr || node.as<ir::AveragePool>() != nullptr)
        at(node.output()).spatial = at(node.inputs[0]).spatial;
    }
    for (const Node& node : graph_.nodes()) read(node);
    // Outer concatenations first, so that an inner one knows whether it is a slice itself.
    for (auto node = graph_.nodes().rbegin(); node != graph_.nodes().rend(); ++node)
      link_concat(*node);
    share_borders_of_stacks();
    choose_pitches();
    return std::move(layouts_);
  }

 private:
  ValueLayout& at(ValueId id) { return layouts_[static_cast<std::size_t>(id)]; }
  void join(ValueId a, ValueId b) {
    sets_.join(static_cast<std::size_t>(a), static_cast<std::size_t>(b));
  }

  void read(const Node& node) {
    const ValueId x = node.inputs.empty() ? ir::kNoValue : node.inputs[0];
    if (const auto* conv = node.as<ir::Conv>()) {
      if (!at(x).spatial) return;
      const ConvReading reading = reading_of(*conv, !at(node.output()).spatial);
      if (reading.phases == 1) {
        at(x).plain = true;
        at(x).border.widen(reading.border);
      } else {
        at(x).splits[reading.phases].widen(reading.border);
      }
      if (reading.same_positions) join(x, node.output());
      if (conv->epilogue.residual && at(node.inputs.back()).spatial) {
        at(node.inputs.back()).plain = true;
        join(node.inputs.back(), node.output());
      }
      return;
    }
    for (const ValueId in : node.inputs) {
      if (in != ir::kNoValue && at(in).spatial) at(in).plain = true;
    }
    const bool elementwise = node.as<ir::Unary>() != nullptr || node.as<ir::Binary>() != nullptr;
    if (!elementwise || !at(node.output()).spatial) return;
    const Spatial y = spatial_of(graph_.value(node.output()));
    for (const ValueId in : node.inputs) {
      if (!at(in).spatial) continue;
      const Spatial s = spatial_of(graph_.value(in));
      if (s.height == y.height && s.width == y.width) join(in, node.output());
    }
  }

  // Whether `id` can be written straight into the stack of `concat`.
  bool can_link(ValueId id, const Node& concat) {
    const Value& value = graph_.value(id);
    const std::size_t v = static_cast<std::size_t>(id);
    if (!layouts_[v].spatial || uses_.producer[v] < 0 || layouts_[v].stack != ir::kNoValue)
      return false;
    if (!same_quant(value, graph_.value(concat.output()))) return false;
    if (std::count(concat.inputs.begin(), concat.inputs.end(), id) != 1) return false;
    return true;
  }

  void link_concat(const Node& node) {
    const auto* concat = node.as<ir::Concat>();
    if (concat == nullptr || !at(node.output()).spatial || concat->axis != 1) return;
    int lane = 0;
    for (const ValueId in : node.inputs) {
      const Value& value = graph_.value(in);
      if (can_link(in, node)) {
        at(in).stack = node.output();
        at(in).first_lane = lane;
        join(in, node.output());
      }
      lane += (spatial_of(value).channels + lane_channels(value) - 1) / lane_channels(value);
    }
  }

  ValueId stack_root(ValueId id) {
    while (at(id).stack != ir::kNoValue) id = at(id).stack;
    return id;
  }

  void share_borders_of_stacks() {
    for (std::size_t v = 0; v < layouts_.size(); ++v) {
      if (layouts_[v].stack == ir::kNoValue) continue;
      const ValueId root = stack_root(static_cast<ValueId>(v));
      at(root).border.widen(layouts_[v].border);
      at(root).plain = true;
    }
    for (std::size_t v = 0; v < layouts_.size(); ++v) {
      if (layouts_[v].stack != ir::kNoValue)
        layouts_[v].border = at(stack_root(static_cast<ValueId>(v))).border;
    }
  }

  void choose_pitches() {
    std::vector<int> pitch(layouts_.size(), 0);
    for (std::size_t v = 0; v < layouts_.size(); ++v) {
      if (!layouts_[v].spatial) continue;
      int& p = pitch[sets_.root(v)];
      p = std::max(p, pitch_of(spatial_of(graph_.values()[v]).width, layouts_[v].border));
    }
    for (std::size_t v = 0; v < layouts_.size(); ++v) layouts_[v].pitch = pitch[sets_.root(v)];
  }

  const Graph& graph_;
  ir::UseMap uses_;
  std::vector<ValueLayout> layouts_;
  DisjointSets sets_;  // of values that are computed at the same positions
};

}  // namespace

std::vector<ValueLayout> plan_layout(const Graph& graph) { return Planner(graph).plan(); }

}  // namespace xgen::lower
