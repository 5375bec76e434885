#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/config.h"
#include "prune/config.h"
#include "quantize/config.h"
#include "train/config.h"
#include "train/data/config.h"

/// The config of a whole run (DESIGN section 12). Needs no Torch, so that configs can be checked
/// where it is not installed.
namespace xgen::cli {

struct ModelConfig {
  std::string onnx;
  std::string zoo;
  std::string batch_norm = "restore";

  template <class V>
  void describe(V& v) {
    v.text("onnx", onnx, "An ONNX file to start from.");
    v.text("zoo", zoo, "A network of the zoo, with fresh weights; `xgen-train zoo` lists them.");
    v.choice("batch_norm", batch_norm, {"restore", "keep"},
             "restore: a batch norm is inserted after each convolution that has none, measured on "
             "training data such that outputs do "
             "not change; pruned networks recover far better with it. keep: the file's own stay as "
             "they are.");
  }
  std::optional<ConfigProblem> problem() const {
    if (onnx.empty() != zoo.empty()) return {};
    return ConfigProblem{"", "expected exactly one of \"onnx\", \"zoo\""};
  }
};

struct TrainStage {
  static constexpr const char* kKind = "train";
  std::string name;
  std::int64_t epochs = 1;
  train::TrainingConfig training;
  std::string distill_from;

  template <class V>
  void describe(V& v) {
    v.text("name", name, "Names the stage in files and on the command line.", Need::required);
    v.number("epochs", epochs, {1, 100000}, "Passes over the training data.");
    v.object("training", training, "What differs from the training of the whole run.");
    v.text(
        "distill_from", distill_from,
        "An earlier stage whose network teaches this one; \"model\" is what the run starts from.");
  }
};

struct FineTuneConfig {
  std::int64_t epochs = 10;
  train::TrainingConfig training;
  std::string distill_from;
  std::string rewind_to;

  template <class V>
  void describe(V& v) {
    v.number("epochs", epochs, {0, 100000}, "Passes over the training data with the mask fixed.");
    v.text("rewind_to", rewind_to,
           "An earlier stage whose weights training starts again from, under the mask "
           "(arXiv:2003.02389); \"model\" is what the run starts from. Absent: it goes on.");
    v.object("training", training, "What differs from the training of the whole run.");
    v.text(
        "distill_from", distill_from,
        "An earlier stage whose network teaches this one; \"model\" is what the run starts from.");
  }
};

struct PruneStage : prune::PruneConfig {
  static constexpr const char* kKind = "prune";
  std::string name;
  train::TrainingConfig training;
  FineTuneConfig fine_tune;

  template <class V>
  void describe(V& v) {
    v.text("name", name, "Names the stage in files and on the command line.", Need::required);
    PruneConfig::describe(v);
    v.object("training", training,
             "Training that the algorithm takes part in: what differs from that of the whole run.");
    v.object("fine_tune", fine_tune, "Training after the mask is fixed.");
  }
};

struct QuantizeStage : quantize::QuantizeConfig {
  static constexpr const char* kKind = "quantize";
  std::string name;
  std::optional<quantize::QatConfig<train::TrainingConfig>> qat;
  std::string distill_from;

  template <class V>
  void describe(V& v) {
    v.text("name", name, "Names the stage in files and on the command line.", Need::required);
    QuantizeConfig::describe(v);
    v.optional_object("qat", qat,
                      "Training on with the integers simulated; absent: calibration alone.");
    v.text("distill_from", distill_from,
           "An earlier stage whose network teaches quantization-aware training.");
  }
};

struct CompileStage {
  static constexpr const char* kKind = "compile";
  std::string name;
  int batch = 1;
  int threads = 1;

  template <class V>
  void describe(V& v) {
    v.text("name", name, "Names the stage in files and on the command line.", Need::required);
    v.number("batch", batch, {1, 4096}, "Images per run of the compiled network.");
    v.number("threads", threads, {1, 1}, "Threads of the compiled network.");
  }
};

using Stage = std::variant<TrainStage, PruneStage, QuantizeStage, CompileStage>;

struct Requirements {
  std::optional<double> accuracy_drop_max;
  std::optional<double> latency_ms_max;
  std::optional<double> latency_share_max;
  std::optional<double> size_bytes_max;
  std::optional<double> peak_ram_bytes_max;
  int rounds = 3;

  template <class V>
  void describe(V& v) {
    v.number("accuracy_drop_max", accuracy_drop_max, {0, 100},
             "Percentage points that may be lost against the dense network of the same run.");
    v.number("latency_ms_max", latency_ms_max, {1e-6, 1e9},
             "Milliseconds of one run of the compiled network, measured.");
    v.number(
        "latency_share_max", latency_share_max, {1e-6, 1},
        "Share of what the dense network of the same run takes in fp32, measured side by side: "
        "0.5 is twice as fast. Holds also where the machine is slower at times.");
    v.number("size_bytes_max", size_bytes_max, {1, 1e15}, "Bytes of the bundle's weights.");
    v.number("peak_ram_bytes_max", peak_ram_bytes_max, {1, 1e15},
             "Bytes of memory that the compiled network asks for.");
    v.number("rounds", rounds, {1, 100},
             "How often, at most, a stage chooses its rates from requirements: again where the "
             "finished network missed one.");
  }
};

struct RunConfig {
  int version = 1;
  std::string name;
  std::uint64_t seed = 1;
  int threads = 2;
  std::string device = "cpu";
  std::string target = "host";
  std::string latency_table;
  double latency_build_minutes = 2;
  ModelConfig model;
  train::DataConfig data;
  train::TrainingConfig training;
  std::vector<Stage> stages;
  Requirements requirements;

  template <class V>
  void describe(V& v) {
    v.number("version", version, {1, 1}, "Version of this format.", Need::required);
    v.text("name", name, "Names the run and its folder.", Need::required);
    v.number("seed", seed, {0, 1'000'000'000}, "One seed, one result.");
    v.number("threads", threads, {1, 256}, "Threads of training; results depend on their number.");
    v.choice("device", device, {"cpu", "cuda"}, "Where training runs; a run may go on elsewhere.");
    v.text("target", target, "What is compiled for: host, a built-in target, or a JSON file.");
    v.text("latency_table", latency_table,
           "File of a latency table to predict by (`xgen-train latency build`). It decides where "
           "the target's kernels do not run on this machine; without one the static estimate does. "
           "On this machine measured times decide, and without a file the user's own table or a "
           "committed one serves to say early whether latency_ms_max can be kept.");
    v.number(
        "latency_build_minutes", latency_build_minutes, {0, 10000},
        "How long a run measures a latency table of this machine, once, where it wants one and "
        "there is none; 0: the static estimate serves.");
    v.object("model", model, "The network to start from.", Need::required);
    v.object("data", data, "Data to train and measure with.", Need::required);
    v.object("training", training, "Training options that all stages inherit.");
    v.variants("stages", stages, "kind", "What is done, in order.", Need::required);
    v.object("requirements", requirements, "What must hold in the end.");
  }
  std::optional<ConfigProblem> problem() const;
};

const std::string& name_of(const Stage& stage);
const char* kind_of(const Stage& stage);

/// A config as read, with the folder that its relative paths start from.
struct LoadedConfig {
  RunConfig config;
  nlohmann::json json;         ///< after overrides, before defaults.
  std::filesystem::path file;  ///< as it was given.
  std::filesystem::path folder;
  std::filesystem::path path(const std::string& relative) const {
    return std::filesystem::path(relative).is_absolute() ? std::filesystem::path(relative)
                                                         : folder / relative;
  }
};

/// Reads a config file, applies `--set` overrides, and lets stages inherit the run's training.
/// @throws UserError naming file and place.
LoadedConfig load_config(const std::filesystem::path& file,
                         const std::vector<std::string>& overrides);

}  // namespace xgen::cli
