#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "codegen/compile.h"
#include "core/ir/types.h"

namespace xgen::bundle {

/// One run of the model, as the scalar kernels computed it: what `selftest` compares with.
struct GoldenCase {
  std::vector<ir::Constant> inputs, outputs;
};

struct BundleOptions {
  nlohmann::json extra;            ///< merged into manifest.json: accuracy, latency, preprocessing.
  std::vector<GoldenCase> golden;  ///< empty: three cases on seeded random inputs are made.
  bool embed_weights = false;      ///< also writes weights.c, for targets without files.
};

/// Writes the package that a mobile team builds (DESIGN section 8): model.h, model.c, kernels.h,
/// kernels_*.c, weights.bin, manifest.json, selftest.c with golden files, bench.c, CMakeLists.txt,
/// README.md. The folder appears complete or not at all.
///
/// @throws UserError when the folder holds something that is no bundle, or cannot be written.
void write_bundle(const CompiledModel& model, const std::filesystem::path& folder,
                  const BundleOptions& options = {});

}  // namespace xgen::bundle
