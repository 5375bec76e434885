#include "train/evaluate.h"

#include "train/data/loader.h"

namespace xgen::train {

Tensor images_of(Batch& batch) {
  return torch::from_blob(batch.images.data(),
                          {batch.size(), batch.height, batch.width, batch.channels}, torch::kFloat)
      .permute({0, 3, 1, 2});
}

Targets targets_of(const Batch& batch, torch::Device device) {
  Targets targets;
  targets.labels = torch::tensor(batch.labels, torch::kLong).to(device);
  if (!batch.second_labels.empty()) {
    targets.second_labels = torch::tensor(batch.second_labels, torch::kLong).to(device);
  }
  targets.first_share = batch.first_share;
  return targets;
}

Metrics evaluate(GraphModule& module, const Dataset& data, const NormalizeConfig& normalize,
                 std::int64_t batch_size) {
  const torch::NoGradGuard no_grad;
  const bool was_training = module.is_training();
  module.train(false);
  const BatchMaker maker(data, normalize, {});
  LoaderOptions options;
  options.training = false;
  options.batch_size = batch_size;
  Loader loader(maker, Random(), options);
  Metrics metrics;
  while (std::optional<Batch> batch = loader.next()) {
    const Tensor logits = module.forward(images_of(*batch));
    const Tensor labels = targets_of(*batch, module.device()).labels;
    const Tensor own = logits.gather(1, labels.unsqueeze(1));
    // How many classes are at least as likely; the own one is one of them. NaN is never right.
    const Tensor rank = (logits >= own).sum(1);
    const Tensor valid = at::isfinite(own).squeeze(1);
    metrics.top1 += (valid & (rank <= 1)).sum().item<double>();
    metrics.top5 += (valid & (rank <= 5)).sum().item<double>();
    metrics.loss += at::cross_entropy_loss(logits, labels, {}, at::Reduction::Sum).item<double>();
    metrics.samples += batch->size();
  }
  module.train(was_training);
  if (metrics.samples > 0) {
    const auto n = static_cast<double>(metrics.samples);
    metrics.top1 /= n;
    metrics.top5 /= n;
    metrics.loss /= n;
  }
  return metrics;
}

void measure_batch_norm(GraphModule& module, const Dataset& data, const NormalizeConfig& normalize,
                        std::int64_t batch_size, std::int64_t batches, const Random& random) {
  const torch::NoGradGuard no_grad;
  const bool was_training = module.is_training();
  module.train(true);
  const BatchMaker maker(data, normalize, {});
  LoaderOptions options;
  options.batch_size = batch_size;
  Loader loader(maker, random, options);
  for (std::int64_t i = 1; i <= batches; ++i) {
    std::optional<Batch> batch = loader.next();
    if (!batch) break;
    module.set_batch_norm_momentum(1 / static_cast<double>(i));  // the plain mean of all batches
    module.forward(std::vector<Tensor>{images_of(*batch)});
  }
  module.set_batch_norm_momentum(std::nullopt);
  module.train(was_training);
}

}  // namespace xgen::train
