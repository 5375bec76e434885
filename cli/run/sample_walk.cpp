#include "cli/run/sample_walk.h"

#include <torch/torch.h>

#include <algorithm>
#include <utility>

#include "train/evaluate.h"

namespace xgen::cli {

namespace {

std::int64_t bytes_of(const SampleWalk::Step& step) {
  std::int64_t sum = 0;
  for (const train::ForwardPass& pass : step.passes) sum += pass.bytes();
  return sum;
}

}  // namespace

SampleWalk::SampleWalk(std::vector<train::GraphModule*> networks, SampleBatches batches,
                       std::int64_t most_bytes)
    : networks_(std::move(networks)), batches_(std::move(batches)), most_bytes_(most_bytes) {
  for (train::GraphModule* network : networks_) network->train(false);
}

SampleWalk::Step SampleWalk::begin(train::Batch& batch) const {
  // A pass holds its images for longer than the batch is there.
  const torch::Tensor images = train::images_of(batch).clone();
  Step step;
  for (train::GraphModule* network : networks_)
    step.passes.emplace_back(*network, std::vector<torch::Tensor>{images});
  step.labels = train::targets_of(batch, networks_.front()->device()).labels;
  return step;
}

void SampleWalk::begin_all(const See& see) {
  batches_.rewind();
  std::int64_t bytes = 0;
  while (train::Batch* batch = batches_.next()) {
    Step step = begin(*batch);
    see(step);
    bytes += bytes_of(step);
    if (bytes <= most_bytes_) steps_.push_back(std::move(step));
  }
  if (bytes > most_bytes_) restart();
}

void SampleWalk::visit(const std::string& value, const See& see) {
  const torch::NoGradGuard no_grad;
  const auto is_ahead = [&](const train::ForwardPass& pass) { return pass.is_ahead(value); };
  if (steps_.empty() ||
      !std::all_of(steps_.front().passes.begin(), steps_.front().passes.end(), is_ahead)) {
    restart();
    return begin_all(see);
  }
  std::int64_t bytes = 0;
  for (Step& step : steps_) {
    see(step);
    bytes += bytes_of(step);
  }
  if (bytes > most_bytes_) restart();
}

}  // namespace xgen::cli
