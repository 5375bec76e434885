#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/config.h"
#include "search/candidates.h"
#include "search/compression.h"
#include "search/conditions.h"
#include "search/sampler.h"
#include "train/config.h"

namespace xgen::search {

/// What every candidate must keep. Size and memory are known before a candidate is trained, latency
/// is predicted: where it surely is too long, the candidate is not tried.
struct SearchLimits {
  std::optional<double> error_max, latency_ms_max, size_bytes_max, peak_ram_bytes_max;

  template <class V>
  void describe(V& v) {
    v.number("error_max", error_max, {0, 100},
             "Error in percent, as the last step finds it: what is foretold to be beyond does not "
             "go on to that step.");
    v.number("latency_ms_max", latency_ms_max, {0, 1e9}, "Latency of one image, one thread.");
    v.number("size_bytes_max", size_bytes_max, {0, 1e15}, "Stored weights and lists.");
    v.number("peak_ram_bytes_max", peak_ram_bytes_max, {0, 1e15}, "Memory that a run needs.");
  }
};

/// How a supernet is trained.
struct SupernetConfig {
  std::int64_t epochs = 10;
  int random_paths = 2;
  bool distill = false;
  std::int64_t samples = 2000;
  std::optional<train::TrainingConfig> training;

  template <class V>
  void describe(V& v) {
    v.number("epochs", epochs, {1, 100000}, "Passes over the training data.");
    v.number("random_paths", random_paths, {0, 1000},
             "Candidates that a step trains besides the largest and the smallest.");
    v.boolean("distill", distill, "Whether the others learn from the largest one's results, too.");
    v.number("samples", samples, {1, 1'000'000'000},
             "Validation samples, at most, that a candidate is judged by.");
    v.optional_object("training", training,
                      "Instead of the training of the run. Gradients of several candidates are "
                      "summed, so its learning rate may be too large.");
  }
};

/// How pruned blocks are trained to do what the dense network's do.
struct BlocksConfig {
  std::int64_t epochs = 1;
  std::optional<train::TrainingConfig> training;

  template <class V>
  void describe(V& v) {
    v.number("epochs", epochs, {1, 100000}, "Passes over the training data, for each block.");
    v.optional_object("training", training,
                      "Instead of the training of the run, without its clip_norm.");
  }
};

/// A way to evaluate a candidate: by a proxy, by the weights it inherits from a supernet, or by a
/// run.
struct StepConfig {
  std::string name;
  std::optional<std::string> proxy;
  std::optional<SupernetConfig> supernet;
  std::optional<BlocksConfig> blocks;
  std::map<std::string, double> set;
  std::vector<std::string> stages;

  bool runs() const { return !proxy && !supernet; }

  template <class V>
  void describe(V& v) {
    v.text("name", name, "Names the step.", Need::required);
    v.text(
        "proxy", proxy,
        "Judges the untrained network by one batch: synflow, naswot or grad_norm, whose negative "
        "takes the place of the error.");
    v.optional_object(
        "supernet", supernet,
        "Judges by weights that all candidates of a macro space share, trained once.");
    v.optional_object("blocks", blocks,
                      "Of compression layer by layer: the run starts from pruned blocks that were "
                      "trained to do what the dense ones do, once for all candidates that have "
                      "them (Wootz, PLDI 2019).");
    v.number_map("set", set, {-1e15, 1e15},
                 "What differs from the run's config, by key as in --set: "
                 "{\"stages.dense.epochs\": 1}.");
    v.texts("stages", stages, "The stages that are run, by name; without any: all.");
  }
  std::optional<ConfigProblem> problem() const;
};

/// What `xgen-train search` reads.
struct SearchConfig {
  int version = 1;
  std::string name;
  std::uint64_t seed = 1;
  std::string target = "host";
  std::string latency_table;
  Architectures space;
  std::optional<CompressionConfig> compression;
  std::vector<ConditionConfig> conditions;
  std::string run;
  std::vector<StepConfig> steps;
  int reduction = 3;
  int bootstrap = 0;
  std::string sampler = "bayesian";
  std::int64_t trials = 100;
  int in_flight = 1;
  std::vector<std::string> objectives = {"error", "latency_ms"};
  std::string study;
  SearchLimits requirements;

  template <class V>
  void describe(V& v) {
    v.number("version", version, {1, 1}, "Version of this format.", Need::required);
    v.text("name", name, "Names the study.", Need::required);
    v.number("seed", seed, {0, 1'000'000'000}, "One seed, one sequence of candidates.");
    v.text("target", target, "Device: host, a built-in target, or a JSON file.");
    v.text("latency_table", latency_table,
           "File of a latency table to predict by; without one, the one that serves the target.");
    v.variant("space", space, "kind", "What candidates are.", Need::required);
    v.optional_object("compression", compression, "What is done to their weights.");
    v.objects("conditions", conditions, "What choices of one parameter ask of others.");
    v.text("run", run,
           "Config of a run that trains and compiles a candidate, which takes the place of its "
           "model.");
    v.objects("steps", steps,
              "How candidates are evaluated, the cheapest first: the best ones of a step go on to "
              "the next, and only the last one counts. Without any: by the whole run.");
    v.number("reduction", reduction, {2, 1000},
             "Of so many candidates one goes on to the next step (arXiv:1810.05934).");
    v.number("bootstrap", bootstrap, {0, 1'000'000},
             "Candidates that the first step tries before any goes on: the best of the first few "
             "are rarely good.");
    v.choice("sampler", sampler, sampler_names(), "What proposes candidates.");
    v.number("trials", trials, {1, 1'000'000}, "How many candidates are tried.");
    v.number("in_flight", in_flight, {1, 1000},
             "Trials that may be under way at once: trial n is proposed from what trials up to n - "
             "in_flight found, whoever ran them. As many workers can be busy.");
    v.texts("objectives", objectives,
            "What is minimised: error (percent of the validation samples), latency_ms, size_bytes, "
            "peak_bytes.");
    v.text("study", study,
           "Where trials are kept: a SQLite file, or postgresql://USER@HOST/DATABASE for workers "
           "on several machines; study.db in the folder of the search by default.");
    v.object("requirements", requirements, "What every candidate must keep.");
  }
  std::optional<ConfigProblem> problem() const;
};

/// Names that `objectives` may have.
const std::vector<std::string>& objective_names();

}  // namespace xgen::search
