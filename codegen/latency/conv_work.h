#pragma once

#include <map>
#include <string>
#include <vector>

#include "codegen/latency/work.h"

namespace xgen::latency {

/// The lists of a convolution in all: what its kernel walks through.
struct ListWork {
  double entries = 0;      ///< over all groups of filters; an entry is one tap of one input lane.
  double group_lanes = 0;  ///< over all groups, the input lanes that each reads.
  double lanes = 0;        ///< of the input that any group reads.
  double lane_bytes = 0;   ///< from one input lane to the next.
  bool shared = true;      ///< all groups walk through the same list.
  std::map<std::int32_t, double>
      taps;  ///< entries by the bytes from a lane's start to what is read.
};
/// @param begin  xgen_conv::begin of a call, which may start in the middle of a list.
ListWork list_work(const Program& program, std::int32_t list, std::int32_t begin,
                   std::int32_t groups);

/// The work of a plane_conv or filter_conv_map, from its arguments and lists; lists may be those of
/// a layer that was never lowered.
Work conv_map_work(const std::string& kernel, const xgen_conv& args, const ListWork& lists,
                   const Machine& machine, const Reach& reach);
Work filter_conv_work(const std::string& kernel, const xgen_filter_conv& args,
                      const ListWork& lists, const Machine& machine, const Reach& reach);

std::vector<std::string> conv_work_names(const std::string& kernel);

}  // namespace xgen::latency
