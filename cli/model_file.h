#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "codegen/compile.h"
#include "codegen/runtime/host_model.h"

/// Models as the command line names them: an ONNX file, a bundle, or the folder of a run.
namespace xgen::cli {

/// What kind of thing a path is.
enum class ModelKind : std::uint8_t { onnx, bundle };

/// A path that is a model; that of a run is the bundle in it.
struct ModelPath {
  ModelKind kind = ModelKind::onnx;
  std::filesystem::path path;
};

/// @throws UserError for a path that does not exist, and for a folder that is neither a bundle nor
///         a run which has one.
ModelPath find_model(const std::filesystem::path& path);

/// Reads a bundle's manifest. @throws UserError where it is none.
nlohmann::json read_manifest(const std::filesystem::path& bundle);

/// What is said of one kernel call.
struct StepInfo {
  std::string name, op, kernel, scheme, sizes;
  std::int64_t macs = 0, dense_macs = 0;
};
std::vector<StepInfo> steps_of(const Program& program);

/// A layer: one kernel call, or all those of a convolution that is computed in parts.
struct LayerCalls {
  StepInfo info;                   ///< multiply-adds of all its calls.
  std::vector<std::size_t> steps;  ///< indices.
};
/// In the order of their first calls.
std::vector<LayerCalls> by_layer(const std::vector<StepInfo>& steps);

/// A model that runs here.
struct OpenModel {
  HostModel model;
  std::vector<StepInfo> steps;
  int batch = 1;

  /// "int8 x86-avx512-vnni": int8 where a multiplying kernel is.
  std::string kernels_text() const;
};

struct OpenOptions {
  std::map<std::string, std::int64_t> dims;  ///< for ONNX files alone.
  std::string kernels;                       ///< instruction set; empty: the best of this machine.
};

/// Compiles an ONNX file for this machine, or builds and loads a bundle.
/// @throws UserError for what find_model and import_onnx refuse, for a bundle of another
///         architecture or whose files are not those of its manifest, and for an instruction set
///         that this machine or the bundle lacks.
OpenModel open_model(const std::filesystem::path& path, const OpenOptions& options = {});

/// The instruction sets to build for --kernels. @throws UserError for one that does not run here.
std::vector<std::string> kernels_to_build(const std::string& wanted);

}  // namespace xgen::cli
