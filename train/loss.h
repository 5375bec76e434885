#pragma once

#include <torch/types.h>

namespace xgen::train {

using torch::Tensor;

/// What a network should say: labels, or a blend of two by mixup.
struct Targets {
  Tensor labels;         ///< [n] int64.
  Tensor second_labels;  ///< [n] int64, or undefined.
  double first_share = 1;
};

/// Mean cross entropy of `logits` [n, classes], a blend for blended targets. @returns a scalar.
Tensor classification_loss(const Tensor& logits, const Targets& targets, double label_smoothing);

/// temperature^2 * KL(softmax(teacher / temperature) || softmax(student / temperature)), mean over
/// the samples. The factor keeps the gradients' size. @param teacher, student  logits [n, classes].
///
/// Source: Hinton et al., "Distilling the knowledge in a neural network" (arXiv:1503.02531).
Tensor distillation_loss(const Tensor& student, const Tensor& teacher, double temperature);

}  // namespace xgen::train
