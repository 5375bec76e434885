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

void MetricsSum::add(const Tensor& logits, const Tensor& labels) {
  const Tensor own = logits.gather(1, labels.unsqueeze(1));
  // How many classes are at least as likely; the own one is one of them. NaN is never right.
  const Tensor rank = (logits >= own).sum(1);
  const Tensor valid = at::isfinite(own).squeeze(1);
  sum_.top1 += (valid & (rank <= 1)).sum().item<double>();
  sum_.top5 += (valid & (rank <= 5)).sum().item<double>();
  sum_.loss += at::cross_entropy_loss(logits, labels, {}, at::Reduction::Sum).item<double>();
  sum_.samples += labels.size(0);
}

Metrics MetricsSum::mean() const {
  if (sum_.samples == 0) return {};
  const auto n = static_cast<double>(sum_.samples);
  return {sum_.top1 / n, sum_.top5 / n, sum_.loss / n, sum_.samples};
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
  MetricsSum sum;
  while (std::optional<Batch> batch = loader.next()) {
    const Tensor logits = module.forward(images_of(*batch));
    sum.add(logits, targets_of(*batch, module.device()).labels);
  }
  module.train(was_training);
  return sum.mean();
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
