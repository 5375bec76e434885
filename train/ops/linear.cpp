#include "train/ops/node_call.h"

namespace xgen::train {

Tensor compute(const ir::Gemm& op, const NodeCall& call) {
  const Tensor a = op.trans_a ? call.input(0).t() : call.input(0);
  const Tensor b = op.trans_b ? call.input(1).t() : call.input(1);
  const auto alpha = static_cast<double>(op.alpha);
  if (!call.has(2)) {
    const Tensor product = at::mm(a, b);
    return op.alpha == 1 ? product : product * alpha;
  }
  return at::addmm(call.input(2), a, b, static_cast<double>(op.beta), alpha);
}

Tensor compute(const ir::MatMul& /*op*/, const NodeCall& call) {
  return at::matmul(call.input(0), call.input(1));
}

}  // namespace xgen::train
