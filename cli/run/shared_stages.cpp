#include "cli/run/shared_stages.h"

#include "core/atomic_file.h"
#include "core/config_file.h"
#include "core/file_lock.h"
#include "core/onnx/export.h"
#include "core/onnx/import.h"
#include "core/sha256.h"

namespace xgen::cli {

StageResult shared_stage(const std::filesystem::path& folder, const nlohmann::json& inputs,
                         const std::function<StageResult()>& work) {
  const std::filesystem::path base = folder / sha256_hex(inputs.dump());
  const std::filesystem::path graph = base.string() + ".onnx", record = base.string() + ".json";
  std::filesystem::create_directories(folder);
  const FileLock lock(base.string() + ".lock");
  if (!std::filesystem::exists(record)) {
    const StageResult made = work();
    // The record comes last: it says that the stage is done.
    export_onnx(made.graph, graph);
    write_atomically(record, made.record.dump(2) + "\n");
    return made;
  }
  StageResult found{import_onnx(graph), load_config_json(record)};
  found.record["shared"] = graph.filename().string();
  return found;
}

}  // namespace xgen::cli
