#include "cli/run/sensitivity.h"

#include <torch/torch.h>

#include <algorithm>
#include <fstream>

#include "cli/run/repair_weights.h"
#include "core/atomic_file.h"
#include "core/interrupt.h"
#include "prune/masks.h"
#include "train/evaluate.h"

namespace xgen::cli {

namespace {

constexpr std::int64_t kScanSamples = 1000, kScanRepairSamples = 256;

train::Dataset scan_samples(const RunSamples& run) {
  const train::Dataset& data = run.validation();
  const std::int64_t count = std::min(kScanSamples, data.size());
  return data.subset(
      train::stratified_positions(data, count, Random(run.config.seed).stream("sensitivity")));
}

// Writes values into live tensors, and what was there back in the end.
class Replaced {
 public:
  void write(const torch::Tensor& live, const torch::Tensor& value) {
    const torch::NoGradGuard no_grad;
    before_.emplace_back(live, live.detach().clone());
    live.detach().copy_(value);
  }
  ~Replaced() {
    const torch::NoGradGuard no_grad;
    for (auto& [live, before] : before_) live.detach().copy_(before);
  }

 private:
  std::vector<std::pair<torch::Tensor, torch::Tensor>> before_;
};

}  // namespace

SensitivityScan::SensitivityScan(const RunSamples& run, const ir::Graph& graph,
                                 std::filesystem::path file)
    : module_(graph, run.device),
      judged_({&module_}, {scan_samples(run), run.config.data.normalize}),
      repaired_by_({&module_}, repair_batches(run, kScanRepairSamples)),
      file_(std::move(file)),
      known_(nlohmann::json::object()) {
  const std::string weights = module_.weights_hash();
  if (std::ifstream file(file_); file) {
    known_ = nlohmann::json::parse(file, nullptr, false);
    if (!known_.is_object() || known_.value("weights", "") != weights)
      known_ = nlohmann::json::object();
  }
  known_["weights"] = weights;
  dense_loss_ = loss();
}

double SensitivityScan::loss() {
  judged_.restart();
  const ir::Graph& graph = module_.graph();
  return mean_loss(graph.value(graph.inputs().front()).name,
                   graph.value(graph.outputs().front()).name);
}

double SensitivityScan::loss_from(const ir::Node& layer) {
  const ir::Graph& graph = module_.graph();
  return mean_loss(graph.value(layer.input(0)).name, graph.value(layer.output()).name);
}

double SensitivityScan::mean_loss(const std::string& led_to, const std::string& ahead) {
  if (interrupt_requested())
    throw Interrupted("stopped while sensitivities were looked for; go on with --resume");
  train::MetricsSum metrics;
  judged_.visit(ahead, [&](SampleWalk::Step& step) {
    train::ForwardPass& pass = step.passes.front();
    pass.value(led_to);
    metrics.add(train::ForwardPass(pass).outputs().front(), step.labels);
  });
  return metrics.mean().loss;
}

torch::Tensor SensitivityScan::pruned(const prune::PlannedLayer& layer) {
  if (repair_of_ != layer.weight) {
    repair_ = std::make_unique<prune::Repair>(
        repair_equations(layer_with(module_.graph(), layer.weight), layer.shape, repaired_by_));
    repair_of_ = layer.weight;
  }
  const torch::Tensor weight = module_.tensor(layer.weight).detach();
  return repaired_weight(*repair_, weight, prune::project_weight(weight, layer));
}

double SensitivityScan::harm(const prune::PlannedLayer& layer, const std::string& option) {
  nlohmann::json& of_layer = known_[layer.weight];
  if (of_layer.contains(option)) return of_layer[option];
  Replaced replaced;
  replaced.write(module_.tensor(layer.weight), pruned(layer));
  const double harm =
      std::max(0.0, loss_from(layer_with(module_.graph(), layer.weight)) - dense_loss_);
  of_layer[option] = harm;
  write_atomically(file_, known_.dump(1) + "\n");
  return harm;
}

SensitivityScan::Joint SensitivityScan::joint_harm(const std::vector<prune::PlannedLayer>& layers) {
  std::vector<torch::Tensor> dense, kept;
  for (const prune::PlannedLayer& layer : layers) {
    dense.push_back(module_.tensor(layer.weight).detach().clone());
    kept.push_back(pruned(layer));
  }
  Replaced all;
  for (std::size_t i = 0; i < layers.size(); ++i)
    all.write(module_.tensor(layers[i].weight), kept[i]);
  Joint joint{loss() - dense_loss_, {}};
  for (std::size_t i = 0; i < layers.size(); ++i) {
    Replaced one;
    one.write(module_.tensor(layers[i].weight), dense[i]);
    joint.without.push_back(loss() - dense_loss_);
  }
  return joint;
}

}  // namespace xgen::cli
