#include "train/loss.h"

namespace xgen::train {

Tensor classification_loss(const Tensor& logits, const Targets& targets, double label_smoothing) {
  const auto entropy = [&](const Tensor& labels) {
    return at::cross_entropy_loss(logits, labels, {}, at::Reduction::Mean, -100, label_smoothing);
  };
  if (!targets.second_labels.defined()) return entropy(targets.labels);
  return targets.first_share * entropy(targets.labels) +
         (1 - targets.first_share) * entropy(targets.second_labels);
}

Tensor distillation_loss(const Tensor& student, const Tensor& teacher, double temperature) {
  const Tensor p = at::softmax(teacher / temperature, 1);
  const Tensor log_p = at::log_softmax(teacher / temperature, 1);
  const Tensor log_q = at::log_softmax(student / temperature, 1);
  return (p * (log_p - log_q)).sum(1).mean() * (temperature * temperature);
}

}  // namespace xgen::train
