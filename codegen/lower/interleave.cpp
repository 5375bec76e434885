#include "codegen/lower/interleave.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "codegen/kernels/plane_conv.h"
#include "codegen/lower/arena_fields.h"
#include "core/error.h"

namespace xgen::lower {

namespace {

using Users = std::map<std::size_t, std::set<std::size_t>>;  // by buffer: steps.

Users users_of_buffers(Program& program) {
  Users users;
  for (std::size_t i = 0; i < program.steps.size(); ++i)
    visit_arena(program.steps[i], [&](std::size_t& at) { users[buffer_of(at)].insert(i); });
  return users;
}

// A convolution over planes, and what a group of its filters comes to.
struct ConvStep {
  const Step* step;
  bool real;                    // fp32
  int filters = 1, planes = 1;  // of a group
  std::size_t entry_bytes = 4;  // of its weights, an entry of the list
  const xgen_conv& args() const { return std::get<xgen_conv>(step->args); }
};

std::optional<ConvStep> conv_step(const Step& step) {
  if (step.kernel == "depthwise_f32") return ConvStep{&step, true};
  for (const kernels::PlaneConvVariant& v : kernels::plane_conv_variants()) {
    if (v.symbol() == step.kernel)
      return ConvStep{&step, v.type == kernels::ConvType::f32, v.group, v.planes(),
                      v.entry_bytes()};
  }
  return std::nullopt;
}

int whole(int count, int unit) { return (count + unit - 1) / unit * unit; }

// Bytes of a lane of what a convolution writes, in both forms.
std::size_t lane_bytes(const xgen_conv& c) {
  const std::size_t split =
      c.split.data == XGEN_NONE ? 0 : c.split.plane * static_cast<std::size_t>(c.split.phases);
  return c.y.plane + split;
}

std::set<std::size_t> results_of(const xgen_conv& c) {
  std::set<std::size_t> buffers{buffer_of(c.y.data)};
  if (c.split.data != XGEN_NONE) buffers.insert(buffer_of(c.split.data));
  return buffers;
}

// Entries of the list that all groups of a convolution share.
std::size_t shared_entries(const Program& program, const xgen_conv& c) {
  const auto list = std::find_if(program.lists.begin(), program.lists.end(),
                                 [&](const xgen_list& l) { return l.list == c.list; });
  XGEN_CHECK(list != program.lists.end(), "no list ", c.list, " in ", program.name);
  return static_cast<std::size_t>(list->lanes) * static_cast<std::size_t>(list->pattern_taps);
}

// Planes first .. first + count - 1 of what a convolution writes.
struct Part {
  int first, count;
};

// The arguments for the groups of filters that write a part, at its place in y.
xgen_conv arguments_of(const Program& program, const ConvStep& conv, Part part) {
  xgen_conv c = conv.args();
  const int planes = conv.planes, first = part.first / planes;
  const auto skipped = static_cast<std::size_t>(first);
  const std::size_t filters = skipped * static_cast<std::size_t>(conv.filters);
  if (c.shared != 0)
    c.weights += skipped * conv.entry_bytes * shared_entries(program, c);
  else
    c.begin += first;
  c.bias += 4 * filters;
  if (!conv.real) c.scale += 4 * filters;
  c.groups = (part.count + planes - 1) / planes;
  c.outputs = c.y.planes = part.count;
  c.x += skipped * c.x_group;
  c.y.data += static_cast<std::size_t>(part.first) * c.y.plane;
  if (c.split.data != XGEN_NONE) {
    c.split.data += static_cast<std::size_t>(part.first * c.split.phases) * c.split.plane;
    c.split.planes = part.count;
  }
  if (c.residual != XGEN_NONE)
    c.residual += static_cast<std::size_t>(part.first) * c.residual_plane;
  return c;
}

Step part_of(const Step& whole, const xgen_conv& args, Part part, int planes) {
  const auto share = [&](auto all) {
    using T = decltype(all);
    const T last = all * static_cast<T>(part.first + part.count) / static_cast<T>(planes);
    return last - all * static_cast<T>(part.first) / static_cast<T>(planes);
  };
  Step step = whole;
  step.args = args;
  step.part = str("planes ", part.first, " to ", part.first + part.count - 1);
  step.macs = share(whole.macs);
  step.dense_macs = share(whole.dense_macs);
  step.constant_bytes = share(whole.constant_bytes);
  return step;
}

// A convolution and the depthwise one that alone reads what it writes.
struct Pair {
  ConvStep conv, depthwise;
  int part = 0;  // planes of one, but for the last
};

std::optional<Pair> pair_at(const Program& program, const Users& users, std::size_t i,
                            std::size_t cache_bytes) {
  if (i + 1 >= program.steps.size()) return std::nullopt;
  const auto conv = conv_step(program.steps[i]), depthwise = conv_step(program.steps[i + 1]);
  if (!conv || !depthwise) return std::nullopt;
  const xgen_conv &c = conv->args(), &d = depthwise->args();
  const int planes = c.y.planes;
  if (d.x_group == 0 || d.groups != planes || c.outputs != planes ||
      d.outputs != planes * depthwise->planes || d.y.planes != d.outputs)
    return std::nullopt;
  const std::set<std::size_t> between = results_of(c);
  if (between.count(buffer_of(d.x)) == 0) return std::nullopt;
  for (const std::size_t buffer : between) {
    for (const std::size_t user : users.at(buffer)) {
      if (user != i && user != i + 1) return std::nullopt;
    }
  }
  const std::size_t all = lane_bytes(c) * static_cast<std::size_t>(planes);
  const std::size_t parts = all / (cache_bytes / 2) + 1;
  const int unit = conv->planes;
  const int part = whole((planes - 1) / static_cast<int>(parts) + 1, unit);
  return part < planes ? std::optional(Pair{*conv, *depthwise, part}) : std::nullopt;
}

// Both in turn, part by part. What lies between them has the place of the first part.
void add_parts(const Program& program, const Pair& pair, std::vector<Step>& steps) {
  const xgen_conv& whole = pair.conv.args();
  const int planes = whole.y.planes, of_depthwise = pair.depthwise.planes;
  for (int first = 0; first < planes; first += pair.part) {
    const Part part{first, std::min(pair.part, planes - first)};
    xgen_conv c = arguments_of(program, pair.conv, part);
    c.y.data = whole.y.data;
    c.split.data = whole.split.data;
    xgen_conv d =
        arguments_of(program, pair.depthwise, {first * of_depthwise, part.count * of_depthwise});
    d.x = pair.depthwise.args().x;
    steps.push_back(part_of(*pair.conv.step, c, part, planes));
    steps.push_back(part_of(*pair.depthwise.step, d, part, planes));
  }
}

}  // namespace

void interleave_depthwise(Program& program, std::vector<std::size_t>& buffer_bytes,
                          std::size_t cache_bytes) {
  if (cache_bytes == 0) return;
  const Users users = users_of_buffers(program);
  std::vector<Step> steps;
  for (std::size_t i = 0; i < program.steps.size(); ++i) {
    const std::optional<Pair> pair = pair_at(program, users, i, cache_bytes);
    if (!pair) {
      steps.push_back(program.steps[i]);
      continue;
    }
    add_parts(program, *pair, steps);
    const auto planes = static_cast<std::size_t>(pair->conv.args().y.planes);
    for (const std::size_t buffer : results_of(pair->conv.args()))
      buffer_bytes[buffer] = buffer_bytes[buffer] / planes * static_cast<std::size_t>(pair->part);
    ++i;
  }
  program.steps = std::move(steps);
}

}  // namespace xgen::lower
