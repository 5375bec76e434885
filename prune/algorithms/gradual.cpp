#include "prune/algorithms/algorithm.h"
#include "prune/algorithms/cubic_schedule.h"

/// More and more is dropped while the network trains.
///
/// Source: Zhu and Gupta, arXiv:1710.01878.
namespace xgen::prune {

namespace {

class Gradual final : public Algorithm {
 public:
  explicit Gradual(AlgorithmContext context) : context_(std::move(context)) {}

  void begin() override { update(0); }
  void after_step(std::int64_t step) override {
    const std::int64_t next = step + 1;
    if (next % context_.config.update_steps == 0 && open_ > 0)
      update(next);
    else
      masks_.apply(context_.params);
  }
  MaskSet masks() override {
    if (open_ > 0) update(context_.steps);
    return masks_;
  }
  std::map<std::string, double> figures() const override { return {{"left to drop", open_}}; }

  Params state() const override {
    Params state = masks_.state();
    state["open"] = torch::tensor(std::vector<double>{open_}, torch::kFloat64);
    return state;
  }
  void load(const Params& state) override {
    open_ = restored(state, "open", torch::zeros({1}, torch::kFloat64)).item<double>();
    masks_.load(state);
  }

 private:
  // What was dropped is zero and scores nothing, so that it stays dropped.
  void update(std::int64_t step) {
    open_ = cubic_open_share(step, context_.steps);
    masks_ = scored_masks(context_.params, context_.scores(), relaxed(context_.layers, open_));
    masks_.apply(context_.params);
  }

  AlgorithmContext context_;
  MaskSet masks_;
  double open_ = 1;  ///< share of what will be dropped that still lives.
};

}  // namespace

std::unique_ptr<Algorithm> make_gradual(AlgorithmContext context) {
  return std::make_unique<Gradual>(std::move(context));
}

}  // namespace xgen::prune
