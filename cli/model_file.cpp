#include "cli/model_file.h"

#include <fstream>
#include <map>
#include <sstream>

#include "codegen/kernels/isa.h"
#include "codegen/targets.h"
#include "core/error.h"
#include "core/log.h"
#include "core/onnx/import.h"
#include "core/sha256.h"

namespace xgen::cli {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw UserError(str(path.string(), ": cannot read"));
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// What is compiled and run must be what was shipped.
void check_files(const fs::path& bundle, const json& manifest) {
  for (const auto& [name, entry] : manifest.at("files").items()) {
    if (fs::path(name).has_parent_path())
      throw UserError(str((bundle / "manifest.json").string(), ": /files/", name,
                          ": expected a file of the bundle's folder"));
    if (sha256_hex(read_file(bundle / name)) != entry.at("sha256").get<std::string>()) {
      throw UserError(str((bundle / name).string(),
                          ": is not the file that the bundle's manifest.json lists (SHA-256 "
                          "differs); compile the model again"));
    }
  }
}

OpenModel open_bundle(const fs::path& path, const OpenOptions& options) {
  if (!options.dims.empty())
    throw UserError(
        str(path.string(), ": --dim is for ONNX files; the sizes of a bundle are fixed"));
  const json manifest = read_manifest(path);
  const Target host = find_target("host");
  if (manifest.at("arch").get<std::string>() != host.arch) {
    throw UserError(str(path.string(), ": a bundle for ", manifest.at("arch").get<std::string>(),
                        "; this machine is ", host.arch));
  }
  check_files(path, manifest);
  OpenModel open{HostModel::load(path), {}, manifest.at("batch").get<int>()};
  for (const json& step : manifest.at("steps")) {
    open.steps.push_back({step.at("name"), step.at("op"), step.at("kernel"), step.at("scheme"),
                          step.at("sizes"), step.at("macs"), step.at("dense_macs")});
  }
  if (!options.kernels.empty()) open.model.select(options.kernels);
  return open;
}

OpenModel open_onnx(const fs::path& path, const OpenOptions& options) {
  const std::vector<std::string> kernels = kernels_to_build(options.kernels);
  CompileOptions compile_options;
  compile_options.target = find_target("host");
  compile_options.dims = options.dims;
  CompiledModel compiled = [&] {
    const ir::Graph graph = import_onnx(path);
    try {
      return compile(graph, compile_options);
    } catch (const UserError& error) {
      throw UserError(str(path.string(), ": ", error.what()));
    }
  }();
  for (const std::string& note : compiled.notes) log::info(str(path.string(), ": ", note));
  return {HostModel::build(compiled.program, kernels), steps_of(compiled.program),
          compiled.program.batch};
}

}  // namespace

ModelPath find_model(const fs::path& path) {
  std::error_code error;
  if (!fs::exists(path, error)) throw UserError(str(path.string(), ": no such file or folder"));
  if (!fs::is_directory(path)) return {ModelKind::onnx, path};
  if (fs::exists(path / "model.c")) return {ModelKind::bundle, path};
  if (fs::exists(path / "bundle" / "model.c")) return {ModelKind::bundle, path / "bundle"};
  throw UserError(
      str(path.string(),
          ": expected an ONNX file, a bundle, or the folder of a run that was compiled; "
          "this folder has no model.c"));
}

json read_manifest(const fs::path& bundle) {
  const fs::path path = bundle / "manifest.json";
  const json manifest = json::parse(read_file(path), nullptr, false);
  if (!manifest.is_object()) throw UserError(str(path.string(), ": not a JSON object"));
  const auto need = [&](const char* key, json::value_t type) {
    if (!manifest.contains(key) || manifest[key].type() != type)
      throw UserError(str(path.string(), ": not the manifest of a bundle: /", key, " is missing"));
  };
  if (manifest.value("format", json()) != json(1))
    throw UserError(
        str(path.string(), ": /format: expected 1, got ", manifest.value("format", json()).dump()));
  for (const char* key : {"name", "arch"}) need(key, json::value_t::string);
  for (const char* key : {"steps", "inputs", "outputs"}) need(key, json::value_t::array);
  for (const char* key : {"batch", "memory_bytes", "weights_bytes"})
    need(key, json::value_t::number_unsigned);
  need("files", json::value_t::object);
  return manifest;
}

std::vector<StepInfo> steps_of(const Program& program) {
  std::vector<StepInfo> steps;
  for (const Step& s : program.steps)
    steps.push_back({s.name, s.op, s.kernel, s.scheme, s.comment, s.macs, s.dense_macs});
  return steps;
}

std::vector<LayerCalls> by_layer(const std::vector<StepInfo>& steps) {
  std::vector<LayerCalls> layers;
  std::map<std::string, std::size_t> convolutions;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const StepInfo& step = steps[i];
    if (step.op == "Conv") {
      const auto [known, is_new] = convolutions.emplace(step.name, layers.size());
      if (!is_new) {
        LayerCalls& layer = layers[known->second];
        layer.info.macs += step.macs;
        layer.info.dense_macs += step.dense_macs;
        layer.steps.push_back(i);
        continue;
      }
    }
    layers.push_back({step, {i}});
  }
  for (LayerCalls& layer : layers) {
    if (layer.steps.size() > 1) layer.info.sizes += str(", in ", layer.steps.size(), " parts");
  }
  return layers;
}

std::string OpenModel::kernels_text() const {
  bool integer = false;
  for (const StepInfo& s : steps)
    integer = integer || (s.macs > 0 && s.kernel.find("_i8") != std::string::npos);
  return str(integer ? "int8 " : "fp32 ", model.kernels());
}

std::vector<std::string> kernels_to_build(const std::string& wanted) {
  if (wanted.empty()) return {};
  const kernels::Isa& isa = kernels::find_isa(wanted);
  std::string here;
  for (const kernels::Isa* host : kernels::host_isas()) {
    if (host->name == std::string(isa.name)) return {wanted};
    here += str(here.empty() ? "" : ", ", host->name);
  }
  throw UserError(str("--kernels ", wanted, ": does not run on this machine, which has ", here));
}

OpenModel open_model(const fs::path& path, const OpenOptions& options) {
  const ModelPath found = find_model(path);
  if (!options.kernels.empty()) kernels_to_build(options.kernels);
  return found.kind == ModelKind::bundle ? open_bundle(found.path, options)
                                         : open_onnx(found.path, options);
}

}  // namespace xgen::cli
