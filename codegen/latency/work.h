#pragma once

#include <string>
#include <vector>

#include "codegen/kernels/isa.h"
#include "codegen/latency/reach.h"
#include "codegen/program.h"
#include "core/target.h"

namespace xgen::latency {

/// Data that the cache levels hold, as a core sees them.
struct Caches {
  std::int64_t l1_bytes = 32768, l2_bytes = 1048576, l3_bytes = 8388608;
  /// In which other cores have brought into the last level as much as it holds; 0: there are none.
  double l3_turnover_us = 0;
  friend bool operator==(const Caches&, const Caches&) = default;
};

/// Where kernels of one instruction set run: what their work depends on besides their arguments.
struct Machine {
  kernels::Isa isa;
  Caches caches = {};
};
Machine machine_of(const Target& target, const std::string& isa);

/// What one kernel call does, counted: the features of a latency model. Its time is their sum, each
/// times a factor >= 0 that is fitted for the kernel and the instruction set.
struct Work {
  std::string kernel;
  std::vector<double> counts;  ///< in the order of work_names(kernel).
};

/// What is counted of a kernel, and why:
///
///   plane_conv_*      calls; tiles and loop entries by the tile's width in vectors, because each
///                     width is straight-line code of its own; vectors that are read across cache
///                     lines, stored, added as a residual, or go through a kind of function; lanes
///                     and runs of the border and of phase planes.
///   depthwise_f32     calls, planes, columns of vectors, rows of these by the stride, and what
///                     plane_conv has for its results.
///   filter_conv_map_* as above, passes over eight or four positions taking the place of tiles.
///   filter_conv_*     calls, groups of 16 filters, list entries, functions.
///   others            calls, planes, rows, and vectors or elements of each kind that their loops
///                     have; of rows that are copied the rest behind the last whole vector, whose
///                     code depends on how many lanes it has.
///
/// And of all of them the 64-byte lines that are read and stored where a call finds its data in the
/// second cache level, the third, or memory, by how much is touched since their last use: l2_lines,
/// l3_lines, memory_lines, each counting what comes from farther as well. Two tiles of a
/// convolution stream all weights (weight_*) and read their windows of every lane that is kept.
const std::vector<std::string>& work_names(const std::string& kernel);
bool is_counted(const std::string& kernel);  ///< whether there is a kernel of this name.

/// The work of a step of a lowered program, repeated alone where no reach is given.
Work work_of(const Program& program, const Step& step, const Machine& machine,
             const Reach& reach = {});
/// Of all its steps, when it is run again and again. @param step_us  what each takes; empty: no
/// time is known.
std::vector<Work> works_of(const Program& program, const Machine& machine,
                           const std::vector<double>& step_us = {});

}  // namespace xgen::latency
