#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "codegen/kernels/isa.h"
#include "codegen/lower/lower.h"
#include "codegen/runtime/host_model.h"
#include "core/reference/evaluate.h"
#include "tests/support/random_graph.h"

namespace xgen::test {

/// Random tensors for the inputs of a graph: fp32 in [-1, 1], u8 over its range.
inline std::vector<ir::Constant> random_inputs(const ir::Graph& graph, unsigned seed) {
  RandomTensors random(seed);
  std::vector<ir::Constant> inputs;
  for (const ir::ValueId id : graph.inputs()) {
    const ir::Extents shape = ir::extents(*graph.value(id).type.shape);
    inputs.push_back(graph.value(id).type.dtype == ir::DType::u8
                         ? random.integers<std::uint8_t>(shape, 0, 255)
                         : random.f32(shape));
  }
  return inputs;
}

/// Integers with ==, floats to 1e-4 of 1 + |expected|.
inline void expect_equal(const ir::Constant& got, const ir::Constant& want,
                         const std::string& what) {
  ASSERT_EQ(got.shape, want.shape) << what;
  ASSERT_EQ(got.dtype, want.dtype) << what;
  if (got.dtype != ir::DType::f32) {
    EXPECT_TRUE(got.bytes == want.bytes) << what;
    return;
  }
  for (std::int64_t i = 0; i < got.size(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    ASSERT_NEAR(got.as<float>()[at], want.as<float>()[at],
                1e-4 * (1 + std::abs(want.as<float>()[at])))
        << what << " at " << i;
  }
}

/// Runs the generated kernels of a prepared graph, on every instruction set of this machine and in
/// both ways of storing int8, against the reference. @return the program, to look at.
inline Program expect_agreement(const ir::Graph& graph, unsigned seed = 5,
                                lower::LowerOptions options = {}) {
  const auto inputs = random_inputs(graph, seed);
  const std::vector<ir::Constant> want = reference::evaluate(graph, inputs);
  Program program;
  for (const bool signed_activations : {false, true}) {
    options.signed_activations = signed_activations;
    std::vector<std::string> isas;
    for (const kernels::Isa* isa : kernels::host_isas()) {
      if (!signed_activations || isa->arch == std::string("any")) isas.emplace_back(isa->name);
    }
    Program lowered = lower::lower(graph, options);
    HostModel model = HostModel::build(lowered, isas);
    for (const std::string& isa : isas) {
      model.select(isa);
      // The second run finds the arena as the first one left it.
      for (const char* run : {"", ", second run"}) {
        const auto got = model.run(inputs);
        for (std::size_t i = 0; i < want.size(); ++i)
          expect_equal(got[i], want[i], isa + run + (signed_activations ? ", s8" : ""));
      }
    }
    if (!signed_activations) program = std::move(lowered);
  }
  return program;
}

}  // namespace xgen::test
