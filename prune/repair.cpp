#include "prune/repair.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "core/error.h"

namespace xgen::prune {

namespace {

// How much the given weights count, as a share of the inputs' mean energy.
constexpr double kDamping = 1e-3;
// Columns that are summed in the inputs' own type, which is fast and, for so few, exact enough
// beside the damping.
constexpr std::int64_t kSummed = 4096;

}  // namespace

Repair::Repair(const WeightShape& shape)
    : shape_(shape),
      inputs_(
          torch::zeros({shape.c_in * shape.taps(), shape.c_in * shape.taps()}, torch::kFloat64)),
      targets_(torch::zeros({shape.c_out, shape.c_in * shape.taps()}, torch::kFloat64)) {}

void Repair::add(const torch::Tensor& columns, const torch::Tensor& targets) {
  XGEN_CHECK(columns.size(0) == inputs_.size(0) && targets.size(0) == shape_.c_out &&
                 columns.size(1) == targets.size(1),
             "columns and targets of another layer");
  const torch::NoGradGuard no_grad;
  for (std::int64_t first = 0; first < columns.size(1); first += kSummed) {
    const std::int64_t count = std::min(kSummed, columns.size(1) - first);
    const torch::Tensor x = columns.narrow(1, first, count), y = targets.narrow(1, first, count);
    inputs_ += x.matmul(x.t()).to(torch::kCPU);
    targets_ += y.matmul(x.t()).to(torch::kCPU);
  }
}

torch::Tensor Repair::solve(const torch::Tensor& weight, const torch::Tensor& keep) const {
  const torch::NoGradGuard no_grad;
  const torch::Tensor given = weight.detach().to(torch::kCPU, torch::kFloat64).flatten(1),
                      kept = keep.to(torch::kCPU).flatten(1);
  const double damping = kDamping * inputs_.diagonal().mean().item<double>() + 1e-12;
  // Filters with the same mask share the matrix.
  std::map<std::string, std::vector<std::int64_t>> alike;
  for (std::int64_t f = 0; f < kept.size(0); ++f) {
    const torch::Tensor row = kept[f].contiguous();
    alike[std::string(reinterpret_cast<const char*>(row.data_ptr<bool>()),
                      static_cast<std::size_t>(row.numel()))]
        .push_back(f);
  }
  torch::Tensor solved = torch::zeros_like(given);
  for (const auto& [mask, filters] : alike) {
    const torch::Tensor live = kept[filters.front()].nonzero().flatten(),
                        rows = torch::tensor(filters, torch::kInt64);
    if (live.numel() == 0) continue;
    const torch::Tensor matrix = inputs_.index_select(0, live).index_select(1, live) +
                                 damping * torch::eye(live.numel(), torch::kFloat64);
    const torch::Tensor right = targets_.index_select(0, rows).index_select(1, live) +
                                damping * given.index_select(0, rows).index_select(1, live);
    const torch::Tensor found = at::cholesky_solve(right.t(), at::linalg_cholesky(matrix)).t();
    solved.index_put_({rows.unsqueeze(1), live.unsqueeze(0)}, found);
  }
  return solved.view(weight.sizes()).to(weight.options());
}

torch::Tensor convolution_columns(const torch::Tensor& x, const WeightShape& shape,
                                  at::IntArrayRef pads, at::IntArrayRef strides,
                                  at::IntArrayRef dilations) {
  const torch::Tensor padded =
      at::constant_pad_nd(x, {pads[1], pads[3], pads[0], pads[2]}, 0).contiguous();
  const torch::Tensor columns =
      at::im2col(padded, {shape.kh, shape.kw}, dilations, {0, 0}, strides);  // [n, k, positions]
  return columns.permute({1, 0, 2}).flatten(1);
}

}  // namespace xgen::prune
