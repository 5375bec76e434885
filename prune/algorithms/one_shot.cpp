#include "prune/algorithms/algorithm.h"

namespace xgen::prune {

namespace {

class OneShot final : public Algorithm {
 public:
  explicit OneShot(AlgorithmContext context) : context_(std::move(context)) {}
  MaskSet masks() override {
    return scored_masks(context_.params, context_.scores(), context_.layers);
  }

 private:
  AlgorithmContext context_;
};

}  // namespace

std::unique_ptr<Algorithm> make_one_shot(AlgorithmContext context) {
  return std::make_unique<OneShot>(std::move(context));
}

}  // namespace xgen::prune
