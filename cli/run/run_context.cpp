#include "cli/run/run_context.h"

#include <torch/torch.h>

#include <algorithm>
#include <ctime>

#include "cli/run/report.h"
#include "cli/run/table_of_run.h"
#include "codegen/runtime/c_compiler.h"
#include "codegen/targets.h"
#include "core/atomic_file.h"
#include "core/config_file.h"
#include "core/cpu_name.h"
#include "core/error.h"
#include "core/interrupt.h"
#include "core/log.h"
#include "core/onnx/export.h"
#include "core/onnx/import.h"
#include "train/cpu.h"
#include "train/determinism.h"

namespace xgen::cli {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

torch::Device device_of(const RunConfig& config) {
  if (config.device == "cpu") return torch::kCPU;
  if (!torch::cuda::is_available())
    throw UserError(
        "/device: expected a device of this machine, got \"cuda\"; LibTorch finds no CUDA device");
  train::make_deterministic(torch::kCUDA);
  return torch::kCUDA;
}

std::string now() {
  char text[32];
  const std::time_t t = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&t, &utc);
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &utc);
  return text;
}

// The keys whose values differ, for a person.
std::string differences(const json& a, const json& b, const std::string& where = "") {
  if (a.is_object() && b.is_object()) {
    std::string text;
    json keys = a;
    keys.update(b);
    for (const auto& [key, unused] : keys.items()) {
      const json left = a.contains(key) ? a[key] : json(),
                 right = b.contains(key) ? b[key] : json();
      if (left == right) continue;
      const std::string inner = differences(left, right, where + "/" + key);
      text += (text.empty() ? "" : ", ") + inner;
    }
    return text;
  }
  return where.empty() ? "everything" : where;
}

// A config without what a run may go on with otherwise: where training runs, and how long a latency
// table is measured that is missing.
json without_place(json config) {
  for (const char* key : {"device", "threads", "latency_build_minutes"}) config.erase(key);
  return config;
}

// Whether the stages that will run generate kernels and run them on this machine.
bool compiles_here(const RunConfig& config, const std::string& only_stage) {
  for (const Stage& stage : config.stages) {
    if (std::get_if<PruneStage>(&stage) != nullptr || std::get_if<CompileStage>(&stage) != nullptr)
      return true;
    if (name_of(stage) == only_stage) break;
  }
  return false;
}

}  // namespace

RunContext::RunContext(LoadedConfig loaded, const RunOptions& options)
    : loaded_(std::move(loaded)),
      folder_(options.output.empty() ? fs::path("runs") / loaded_.config.name : options.output),
      shared_stages_(options.shared_stages),
      target_(find_target(fs::exists(loaded_.path(loaded_.config.target))
                              ? loaded_.path(loaded_.config.target).string()
                              : loaded_.config.target)),
      device_(device_of(loaded_.config)),
      resume_(options.resume),
      builds_table_(options.builds_table),
      goal_(first_goal(loaded_.config.requirements)) {
  train::set_up_cpu(config().threads);
  // A compiler that is missing is found out now, not when hours of training are done.
  if (compiles_here(config(), options.only_stage)) CCompiler compiler(host_compiler());
  check_folder();
  log::info("reading data");
  data_ = train::load_data(config().data, loaded_.folder, config().seed);
  for (const std::string& text : data_.notes) log::warning(text);
  claim();
  latency_ = std::make_unique<LatencyStore>(target_, folder_ / "measurements.json");
  const json manifest = {{"xgen", "0.1.0"},
                         {"libtorch", TORCH_VERSION},
                         {"seed", config().seed},
                         {"threads", config().threads},
                         {"device", config().device},
                         {"cpu", cpu_name()},
                         {"target", target_.name},
                         {"data_sha256", data_.hash()},
                         {"decoder", data_.train.decoder()},
                         {"classes", data_.train.class_names()}};
  write_atomically(folder_ / "manifest.json", manifest.dump(2) + "\n");
  report_ = {{"name", config().name},
             {"created", now()},
             {"config", write_config(config())},
             {"manifest", manifest},
             {"stages", json::array()},
             {"notes", json::array()},
             {"requirements", json::array()},
             {"rounds", json::array()},
             {"samples",
              {{"train", data_.train.size()},
               {"validation", data_.validation.size()},
               {"test", data_.test.size()}}}};
  report_["notes"] = data_.notes;
  try {
    if (!options.measurements.empty()) latency_->give(options.measurements);
    // A file that is wrong is found out now, and what predicts in the place of a clock is fixed.
    if (!config().latency_table.empty() || !latency_->measures()) predictions();
  } catch (const UserError&) {
    give_up_folder();
    throw;
  }
}

void RunContext::check_folder() const {
  const fs::path file = folder_ / "config.json";
  if (fs::exists(file)) {
    // Read as a config, so that a key which a later version of xgen added has its default.
    const json held = write_config(read_config<RunConfig>(load_config_json(file), file.string()));
    const std::string differing =
        differences(without_place(held), without_place(write_config(config())));
    if (!differing.empty()) {
      throw UserError(str(folder_.string(), ": holds a run of another config (", differing,
                          "); choose another folder with --output"));
    }
    if (!resume_)
      throw UserError(str(
          folder_.string(),
          ": holds this run already; go on with --resume, or choose another folder with --output"));
    return;
  }
  // A run that was killed while it claimed the folder leaves at most the draft of its config.
  const auto is_claimable = [](const fs::path& folder) {
    return fs::is_directory(folder) &&
           std::all_of(fs::directory_iterator(folder), {}, [](const fs::directory_entry& e) {
             return e.path().filename().string().find("config.json.tmp-") != std::string::npos;
           });
  };
  if (fs::exists(folder_) && !is_claimable(folder_)) {
    throw UserError(str(folder_.string(),
                        ": expected a new or empty folder, or an earlier run, got ",
                        fs::is_directory(folder_) ? "a folder with other files" : "a file"));
  }
}

void RunContext::give_up_folder() const {
  std::error_code ignored;  // the refusal itself is what a person has to read
  if (is_fresh_) fs::remove_all(folder_, ignored);
}

void RunContext::claim() {
  if (fs::exists(folder_ / "config.json")) {
    for (const fs::path& folder : {folder_, folder_ / "checkpoints"}) remove_unfinished(folder);
    return;
  }
  std::error_code error;
  fs::create_directories(folder_, error);
  if (error) throw UserError(str(folder_.string(), ": cannot create: ", error.message()));
  is_fresh_ = true;
  write_atomically(folder_ / "config.json", write_config(config()).dump(2) + "\n");
}

void RunContext::begin_round(const Goal& goal) {
  goal_ = goal;
  ++round_;
}

std::string RunContext::of_round(const std::string& name) const {
  return round_ == 1 ? name : str(name, ".round", round_);
}

StageResult RunContext::once(const std::string& step, const std::function<StageResult()>& work) {
  const std::string name = of_round(step);
  const fs::path base = folder_ / "checkpoints" / name;
  const fs::path graph_file = base.string() + ".onnx", record_file = base.string() + ".json";
  if (!fs::exists(record_file)) {
    StageResult result = work();
    // The record comes last: it says that the stage is done. What follows starts from the file,
    // resumed or not.
    export_onnx(result.graph, graph_file);
    write_atomically(record_file, result.record.dump(2) + "\n");
  } else {
    log::info(str(name, ": done before"));
  }
  return {import_onnx(graph_file), load_config_json(record_file)};
}

train::TrainContext RunContext::train_context(const std::string& stage, std::int64_t epochs) const {
  train::TrainContext context;
  context.run_folder = folder_;
  context.stage = of_round(stage);
  context.epochs = epochs;
  context.seed = config().seed;
  context.threads = config().threads;
  context.normalize = config().data.normalize;
  context.augment = config().data.augment;
  context.resume = resume_;
  context.stop_requested = [] { return interrupt_requested(); };
  return context;
}

train::Metrics RunContext::validate(train::GraphModule& module) const {
  return train::evaluate(module, samples().validation(), config().data.normalize);
}

void RunContext::find_latencies(const std::string& of,
                                const std::vector<LatencyStore::Query>& queries) {
  const char* how = latency_->measures() ? "timing" : "predicting";
  log::info(str(how, " generated kernels: ", of));
  log::Progress progress(how, static_cast<std::int64_t>(queries.size()), "kernels");
  kernel_times_.asked += queries.size();
  kernel_times_.found += latency_->find(queries, [&](std::size_t done, std::size_t /*all*/) {
    progress.update(static_cast<std::int64_t>(done));
  });
}

const latency::FittedLatency& RunContext::predictions() {
  if (!has_table_) {
    TableSources sources;
    sources.target = target_;
    sources.kept = folder_ / "latency_table.json";
    if (!config().latency_table.empty()) sources.given = loaded_.path(config().latency_table);
    sources.build_minutes = builds_table_ ? config().latency_build_minutes : 0;
    const latency::LatencyTable table =
        table_of_run(sources, [this](const std::string& text) { note(text); });
    latency_->predict_by(table);
    if (!fs::exists(sources.kept)) table.save_fits(sources.kept);
    has_table_ = true;
  }
  return latency_->model();
}

void RunContext::note(const std::string& text) {
  log::info(text);
  report_["notes"].push_back(text);
}

void RunContext::save_report() const {
  write_atomically(folder_ / "report.json", report_.dump(2) + "\n");
  write_atomically(folder_ / "report.html", report_html(report_));
}

json to_json(const train::Metrics& m) {
  return {{"top1", m.top1}, {"top5", m.top5}, {"loss", m.loss}, {"samples", m.samples}};
}

json to_json(const train::TrainResult& result) {
  json history = json::array();
  for (const train::EpochRecord& e : result.history) {
    history.push_back({{"epoch", e.epoch},
                       {"train_loss", e.train_loss},
                       {"learning_rate", e.learning_rate},
                       {"validation", to_json(e.validation)}});
  }
  return {{"history", history},
          {"steps", result.steps},
          {"weights_sha256", result.weights_hash},
          {"images_per_second", result.images_per_second},
          {"notes", result.notes}};
}

std::map<std::string, torch::Tensor> params_of(const train::GraphModule& module) {
  return {module.parameters().begin(), module.parameters().end()};
}

}  // namespace xgen::cli
