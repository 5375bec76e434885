#pragma once

#include <torch/types.h>

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/config.h"
#include "cli/requirements_error.h"
#include "cli/run/rounds.h"
#include "cli/run/run_samples.h"
#include "codegen/latency/latency_store.h"
#include "core/ir/graph.h"
#include "core/target.h"
#include "train/data/load.h"
#include "train/evaluate.h"
#include "train/graph_module.h"
#include "train/stage.h"

namespace xgen::cli {

struct RunOptions {
  std::filesystem::path output;  ///< the run's folder; empty: runs/NAME.
  bool resume = false;
  std::filesystem::path measurements;   ///< a file of latencies to use, or empty.
  std::filesystem::path shared_stages;  ///< the folder of shared_stage(), or empty.
  std::string only_stage;               ///< runs this stage alone, after those before it.
  bool builds_table = true;             ///< measures a latency table where it wants one.
};

/// What a stage leaves: the network, and a row of the report.
struct StageResult {
  ir::Graph graph;
  nlohmann::json record;
};

/// Everything that the stages of one run share.
class RunContext {
 public:
  /// Claims the folder: a new one, or with `resume` that of the same config.
  /// @throws UserError for a folder that holds another run, naming what differs.
  RunContext(LoadedConfig loaded, const RunOptions& options);

  const RunConfig& config() const { return loaded_.config; }
  const LoadedConfig& loaded() const { return loaded_; }
  const std::filesystem::path& folder() const { return folder_; }
  const train::DataSplits& data() const { return data_; }
  RunSamples samples() const { return {config(), data_, device_}; }
  const Target& target() const { return target_; }
  LatencyStore& latency() { return *latency_; }
  /// What predicts kernels for the target. The table is an input of the run: chosen at the first
  /// call, on this machine perhaps measured for minutes, and kept in the folder (law 4).
  const latency::FittedLatency& predictions();
  torch::Device device() const { return device_; }
  bool resume() const { return resume_; }
  /// The folder of trained stages that this run shares with others, or empty.
  const std::filesystem::path& shared_stages() const { return shared_stages_; }

  /// What the rates of this round are chosen for.
  const Goal& goal() const { return goal_; }
  /// Begins the next round: what it makes is kept beside what earlier ones made.
  void begin_round(const Goal& goal);
  /// What is made anew in each round, by name.
  std::string of_round(const std::string& name) const;

  /// Runs `work` once a round: what it leaves is stored as checkpoints/NAME.onnx and .json, and
  /// read back when the run is resumed.
  StageResult once(const std::string& name, const std::function<StageResult()>& work);

  train::TrainContext train_context(const std::string& stage, std::int64_t epochs) const;
  /// Accuracy of a float network on RunSamples::validation().
  train::Metrics validate(train::GraphModule& module) const;

  /// Kernels whose times were asked for, and how many of them were not known.
  struct KernelTimes {
    std::size_t asked = 0, found = 0;
  };
  const KernelTimes& kernel_times() const { return kernel_times_; }
  /// Makes latency() know the times of generated kernels, and says so.
  /// @param of  which kernels, for a person.
  void find_latencies(const std::string& of, const std::vector<LatencyStore::Query>& queries);

  /// Removes the folder again, where this process made or found it empty: nothing in it is worth
  /// keeping yet.
  void give_up_folder() const;

  /// Adds a line that the report shows.
  void note(const std::string& text);
  nlohmann::json& report() { return report_; }
  /// Writes report.json and report.html as they are now.
  void save_report() const;

  /// The network after a stage; the initial one is called "".
  std::map<std::string, ir::Graph> graphs;
  std::string dense_stage;  ///< the last stage before anything was compressed.

 private:
  /// @throws UserError when the folder holds anything but this run.
  void check_folder() const;
  /// Makes the folder this run's. Called when nothing is left that a person would have to correct.
  void claim();

  LoadedConfig loaded_;
  std::filesystem::path folder_, shared_stages_;
  Target target_;
  torch::Device device_;
  bool resume_ = false, builds_table_ = true, has_table_ = false;
  bool is_fresh_ = false;  // the folder held no run before
  train::DataSplits data_;
  std::unique_ptr<LatencyStore> latency_;
  nlohmann::json report_;
  KernelTimes kernel_times_;
  Goal goal_;
  int round_ = 1;
};

nlohmann::json to_json(const train::Metrics& metrics);
nlohmann::json to_json(const train::TrainResult& result);

/// Parameters of a module by name, shared.
std::map<std::string, torch::Tensor> params_of(const train::GraphModule& module);

// One file a stage.
StageResult initial_model(RunContext& run);
StageResult run_train_stage(RunContext& run, const TrainStage& stage, const ir::Graph& graph);
StageResult run_prune_stage(RunContext& run, const PruneStage& stage, const ir::Graph& graph);
StageResult run_channel_stage(RunContext& run, const PruneStage& stage, const ir::Graph& graph);
StageResult run_quantize_stage(RunContext& run, const QuantizeStage& stage, const ir::Graph& graph);
StageResult run_compile_stage(RunContext& run, const CompileStage& stage, const ir::Graph& graph);

/// All stages in order. @return the report. @throws RequirementsError after saving.
nlohmann::json run_pipeline(LoadedConfig loaded, const RunOptions& options);

}  // namespace xgen::cli
