#pragma once

#include <optional>
#include <string>
#include <vector>

#include "codegen/latency/work.h"

namespace xgen::latency {

/// What writing the borders of `count` planes takes.
struct BorderWork {
  double lanes = 0, runs = 0;
};
BorderWork border_work(const xgen_planes& planes, int count);

/// Functions which a vector loop computes at costs of their own: how many vectors of each.
enum Function { kPolynomial, kDivided, kExponential, kScalarFunction, kFunctions };
std::optional<Function> function_of(int kind);
const std::vector<std::string>& function_names();

/// 64-byte lines that come from farther than the first cache level, the second, and the last.
struct Lines {
  double l2 = 0, l3 = 0, memory = 0;
};
/// When `bytes` are walked through `times` times beside `others` bytes which are in use as well.
Lines streamed(double bytes, double times, double others, const Machine& machine);

/// The lists of a convolution in all: what its kernel walks through.
struct ListWork {
  double entries = 0;     ///< over all groups of filters; an entry is one tap of one input lane.
  double lanes = 0;       ///< of the input.
  double lane_bytes = 0;  ///< from one input lane to the next.
  bool shared = true;     ///< all groups walk through the same list.
};
ListWork list_work(const Program& program, std::int32_t list, std::int32_t groups);

/// The work of a plane_conv or filter_conv_map, from its arguments and lists; lists may be those of
/// a layer that was never lowered.
Work conv_map_work(const std::string& kernel, const xgen_conv& args, const ListWork& lists,
                   const Machine& machine);
Work filter_conv_work(const std::string& kernel, const xgen_filter_conv& args,
                      const ListWork& lists, const Machine& machine);

Work conv_work(const Program& program, const std::string& kernel, const xgen_conv& args,
               const Machine& machine);
Work conv_work(const Program& program, const std::string& kernel, const xgen_filter_conv& args,
               const Machine& machine);

std::vector<std::string> conv_work_names(const std::string& kernel);

}  // namespace xgen::latency
