#include "codegen/latency/static_estimate.h"

#include <algorithm>
#include <map>

#include "codegen/kernels/plane_conv.h"

namespace xgen::latency {

namespace {

// A core of usual width: two multiply-add units, two loads and one store a cycle, 2.5 GHz.
constexpr double kUnits = 2, kLoads = 2, kGigahertz = 2.5;

// Multiply-adds of a dot product of four int8: one instruction, or what widening takes instead.
double instructions_of(kernels::ConvType type, const kernels::Isa& isa) {
  if (type == kernels::ConvType::f32 || isa.fast_int8) return 1;
  return isa.lanes == 1 ? 8 : 3;
}

double cycles_of_entry(const kernels::PlaneConvVariant& v, int width, const kernels::Isa& isa) {
  const double products = v.group * width * instructions_of(v.type, isa);
  const double loads = width + v.group;
  return std::max(products / kUnits, loads / kLoads) + 0.5;
}

double cycles_of_tile(const kernels::PlaneConvVariant& v, int width) {
  // Start, clip or requantize, pack, store; and what surrounds the call.
  const double finish = v.type == kernels::ConvType::f32 ? 2 : 5;
  return 20 + finish * v.group * width;
}

// Cycles of everything else; vectors count vectors, elements one element each.
const std::map<std::string, double>& cycles() {
  static const std::map<std::string, double> known = {{"calls", 60},
                                                      {"planes", 10},
                                                      {"rows", 6},
                                                      {"groups", 30},
                                                      {"passes", 40},
                                                      {"positions", 20},
                                                      {"vectors", 2},
                                                      {"operand_vectors", 0.5},
                                                      {"divided_vectors", 8},
                                                      {"elements", 1},
                                                      {"outputs", 1},
                                                      {"strided", 2},
                                                      {"products", 3},
                                                      {"powers", 40},
                                                      {"leaky_relu", 3},
                                                      {"sigmoid", 18},
                                                      {"tanh", 200},
                                                      {"silu", 18},
                                                      {"hard_sigmoid", 3},
                                                      {"hard_swish", 3},
                                                      {"exp", 12},
                                                      {"log", 200},
                                                      {"neg", 1},
                                                      {"sqrt", 100},
                                                      {"abs", 1},
                                                      {"erf", 200},
                                                      {"reciprocal", 8},
                                                      {"copied", 0.5},
                                                      {"gathered", 1},
                                                      {"requantized_vectors", 30},
                                                      {"interpolated", 8},
                                                      {"quantized_vectors", 6},
                                                      {"quantized", 6},
                                                      {"dequantized_vectors", 3},
                                                      {"narrowed_vectors", 2},
                                                      {"dequantized", 1},
                                                      {"flipped", 0.2},
                                                      {"border_planes", 6},
                                                      {"border_gaps", 1.5},
                                                      {"border_vectors", 1},
                                                      {"border_ends", 1.5},
                                                      {"split_lanes", 0.5},
                                                      {"split_runs", 4},
                                                      {"residual_vectors", 4},
                                                      {"residual_positions", 30},
                                                      {"copied_vectors", 1},
                                                      {"crossing_vectors", 1},
                                                      {"stored_vectors", 1},
                                                      {"stored_lanes", 1},
                                                      {"halved_vectors", 3},
                                                      {"halved_crossing", 1},
                                                      {"windows", 6},
                                                      {"columns", 2},
                                                      {"window_rows", 6},
                                                      {"strided_rows", 8},
                                                      {"taps", 2},
                                                      {"second_taps", 1.5},
                                                      {"packed_vectors", 10},
                                                      {"widened_vectors", 1},
                                                      {"run_vectors", 2},
                                                      {"crossing_loads", 0.5},
                                                      {"crossing_stores", 1},
                                                      {"ends", 10},
                                                      {"ends_8", 3},
                                                      {"ends_4", 3},
                                                      {"rows_of_0", 1},
                                                      {"rows_of_1", 1},
                                                      {"rows_of_2", 1},
                                                      {"rows_of_3", 1},
                                                      {"rows_of_4", 1},
                                                      {"split_rows", 15},
                                                      {"split_vectors", 2},
                                                      {"split_crossing", 2},
                                                      {"filled_vectors", 2},
                                                      {"filled_ends", 3},
                                                      {"scattered", 2},
                                                      {"cleared", 0.3},
                                                      {"stored_l2_lines", 2},
                                                      {"stored_l3_lines", 8},
                                                      {"memory_lines", 40},
                                                      {"stored_memory_lines", 40},
                                                      {"call_l2_lines", 20},
                                                      {"call_l3_lines", 100},
                                                      {"call_memory_lines", 400},
                                                      {"weight_l2_lines", 1},
                                                      {"weight_l3_lines", 4},
                                                      {"weight_memory_lines", 20},
                                                      {"l2_lines", 2},
                                                      {"l3_lines", 8}};
  return known;
}

}  // namespace

std::vector<double> static_factors(const std::string& kernel, const Machine& machine) {
  std::vector<double> factors;
  const kernels::PlaneConvVariant* variant = nullptr;
  for (const kernels::PlaneConvVariant& v : kernels::plane_conv_variants()) {
    if (kernel == v.symbol()) variant = &v;
  }
  const bool integer = kernel.find("_i8") != std::string::npos;
  const double dot =
      instructions_of(integer ? kernels::ConvType::i8 : kernels::ConvType::f32, machine.isa);
  for (const std::string& name : work_names(kernel)) {
    const std::size_t bar = name.rfind('_');
    const int width = bar == std::string::npos ? 0 : std::atoi(name.c_str() + bar + 1);
    double c = 0;
    if (variant != nullptr && name.rfind("tiles_", 0) == 0)
      c = cycles_of_tile(*variant, width);
    else if (variant != nullptr && name.rfind("entries_", 0) == 0)
      c = cycles_of_entry(*variant, width, machine.isa);
    else if (name.rfind("entries_", 0) == 0)  // of so many positions, and their filters once
      c = std::max(width * dot / kUnits, (width + 1) / kLoads);
    else if (name == "entries")
      c = dot;
    else
      c = cycles().at(name);
    factors.push_back(1e-3 * c / kGigahertz);
  }
  return factors;
}

}  // namespace xgen::latency
