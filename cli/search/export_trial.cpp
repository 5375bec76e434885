#include "cli/search/export_trial.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "cli/config.h"
#include "cli/search/study_results.h"
#include "core/atomic_file.h"
#include "core/error.h"
#include "core/onnx/export.h"

namespace xgen::cli {

using nlohmann::json;
using nlohmann::ordered_json;
namespace fs = std::filesystem;

namespace {

// What a path in a config that stands in `base` becomes in one that stands in `folder`.
std::string seen_from(const fs::path& folder, const fs::path& base, const std::string& path) {
  if (fs::path(path).is_absolute()) return path;
  // Links are followed first: ".." of a linked folder is where the link leads.
  return fs::weakly_canonical(base / path).lexically_proximate(fs::weakly_canonical(folder));
}

// Every path that a run's config may hold, besides its model.
void move_paths(json& run, const fs::path& base, const fs::path& folder) {
  const auto move = [&](const char* pointer) {
    const json::json_pointer at(pointer);
    if (run.contains(at)) run[at] = seen_from(folder, base, run[at].get<std::string>());
  };
  move("/data/path");
  if (!run.value("latency_table", "").empty()) move("/latency_table");
  if (fs::exists(base / run.value("target", "host"))) move("/target");
  if (run.value("$schema", "").find("://") == std::string::npos) move("/$schema");
}

// As the keys are declared, which is how people write them.
std::string text_of(const json& run, const RunConfig& config) {
  ordered_json ordered;
  if (run.contains("$schema")) ordered["$schema"] = run["$schema"];
  const ordered_json declared = write_config(config);
  for (const auto& [key, value] : declared.items()) {
    if (run.contains(key)) ordered[key] = run[key];
  }
  return ordered.dump(2) + "\n";
}

void refuse_another_file(const fs::path& file, const std::string& text) {
  std::ifstream stream(file, std::ios::binary);
  if (stream && std::string(std::istreambuf_iterator<char>(stream), {}) != text)
    throw UserError(str(file.string(),
                        ": expected no file or the trial's run, found another one; "
                        "choose another folder with --to"));
}

// Of trained blocks, which only the trial's own network holds.
void copy_assembled(const LoadedSearch& search, const search::StudyTrial& trial,
                    const fs::path& to) {
  const fs::path own = search.output / "trials" / std::to_string(trial.number) / "candidate.onnx";
  std::ifstream stream(own, std::ios::binary);
  if (!stream)
    throw UserError(str(own.string(), ": expected the network that trial ", trial.number,
                        " was assembled to, found no file"));
  write_atomically(to, std::string(std::istreambuf_iterator<char>(stream), {}));
}

}  // namespace

fs::path export_trial(const LoadedSearch& search, std::int64_t number, const std::string& folder) {
  if (search.config.run.empty())
    throw UserError(
        str(search.file.string(),
            ": /run: expected the config of a run that trains a candidate, found none"));
  const search::StudyTrial trial = find_trial(search, number);
  const std::size_t last = std::max<std::size_t>(1, search.config.steps.size()) - 1;
  const std::vector<std::string> overrides =
      overrides_of_run(search, trial, last, "candidate.onnx");
  LoadedConfig run = load_config(search.beside(search.config.run), overrides);
  const fs::path to =
      folder.empty() ? search.output / "exported" / std::to_string(number) : fs::path(folder);
  move_paths(run.json, run.folder, fs::absolute(to));
  const std::string text = text_of(run.json, run.config);
  refuse_another_file(to / "run.json", text);
  fs::create_directories(to);
  if (search.config.steps.empty() || !search.config.steps[last].blocks)
    export_onnx(network_of(search, trial.point), to / "candidate.onnx");
  else
    copy_assembled(search, trial, to / "candidate.onnx");
  write_atomically(to / "run.json", text);
  return to / "run.json";
}

}  // namespace xgen::cli
