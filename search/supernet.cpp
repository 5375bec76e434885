#include "search/supernet.h"

#include "core/error.h"
#include "core/ir/infer_shapes.h"
#include "core/ir/node_size.h"
#include "search/torch_device.h"
#include "train/autocast.h"
#include "train/evaluate.h"
#include "train/graph_module.h"
#include "train/stage.h"

namespace xgen::search {

namespace {

using train::GraphModule;

constexpr const char* kStage = "supernet";

// A block's own weights are called "block3.conv.weight" in each candidate: here "block3.mb3_k3." is
// what they begin with. Others keep their names.
std::string shared_name(const Space& space, const Point& point, const std::string& name) {
  const std::size_t dot = std::min(name.find('.'), name.size());
  for (std::size_t i = 0; i < point.size(); ++i) {
    const Parameter& block = space.parameters[i];
    if (name.compare(0, dot, block.name) == 0)
      return str(block.name, ".", block.choices[static_cast<std::size_t>(point[i])],
                 name.substr(dot));
  }
  return name;
}

bool is_weight(const ir::Value& value) {
  return value.constant != nullptr && value.constant->role != ir::Role::fixed;
}

// The network of `point`, whose graph holds the weights of all other candidates besides: so that
// what trains a network trains them all, given gradients.
ir::Graph graph_of_all(const MacroSpace& macro, const Point& point, const Random& random) {
  const Space space = macro.space();
  ir::Graph graph = macro.network(point, random);
  const auto count = static_cast<ir::ValueId>(graph.values().size());
  for (ir::ValueId id = 0; id < count; ++id) {
    const ir::Value value = graph.value(id);
    const std::string name = shared_name(space, point, value.name);
    if (is_weight(value) && name != value.name)
      graph.replace_uses(id, graph.add_constant(name, value.constant));
  }
  graph = graph.pruned();
  for (int choice = 0; choice < static_cast<int>(macro.blocks.size()); ++choice) {
    const Point same(point.size(), choice);
    const ir::Graph other = macro.network(same, random);
    for (const ir::Value& value : other.values()) {
      const std::string name = shared_name(space, same, value.name);
      if (is_weight(value) && graph.find(name) == ir::kNoValue)
        graph.add_constant(name, value.constant);
    }
  }
  return graph;
}

// The choices of most or of fewest multiply-adds, in each place; of equals the first.
Point extreme(const MacroSpace& macro, bool largest) {
  const std::size_t blocks = macro.space().parameters.size();
  Point best(blocks, 0);
  for (std::size_t i = 0; i < blocks; ++i) {
    std::int64_t best_macs = -1;
    for (int choice = 0; choice < static_cast<int>(macro.blocks.size()); ++choice) {
      Point point(blocks, 0);
      point[i] = choice;
      const std::int64_t macs =
          ir::size_of_graph(ir::infer_shapes(macro.network(point, std::nullopt))).macs;
      if (best_macs >= 0 && (largest ? macs <= best_macs : macs >= best_macs)) continue;
      best_macs = macs;
      best[i] = choice;
    }
  }
  return best;
}

}  // namespace

struct Supernet::Impl {
  MacroSpace macro;
  Space space;
  Random random;
  Point largest, smallest;
  GraphModule all;  ///< the largest candidate, with everyone's weights.

  Impl(const MacroSpace& of, std::uint64_t seed, const std::string& device)
      : macro(of),
        space(of.space()),
        random(seed),
        largest(extreme(of, true)),
        smallest(extreme(of, false)),
        all(graph_of_all(of, largest, random), device_of(device, "the supernet's")) {}

  torch::Tensor shared(const Point& point, const std::string& name) const {
    return all.tensor(shared_name(space, point, name));
  }

  // A candidate whose weights and statistics are stored where the supernet's are; its gradients are
  // its own.
  GraphModule path(const Point& point) const {
    GraphModule module(macro.network(point, std::nullopt), all.device());
    for (const auto& [name, tensor] : module.state()) tensor.set_data(shared(point, name).detach());
    return module;
  }

  void add_gradients(const Point& point, const GraphModule& module) const {
    for (const auto& [name, tensor] : module.parameters()) {
      const torch::Tensor& gradient = tensor.grad();
      if (!gradient.defined()) continue;
      const torch::Tensor parameter = shared(point, name);
      torch::Tensor& sum = parameter.mutable_grad();
      sum = sum.defined() ? sum + gradient : gradient;
    }
  }
};

namespace {

// The paths of a step besides the largest, which is what the stage trains.
class SandwichHook final : public train::TrainingHook {
 public:
  using LearnPath = std::function<void(const Point&, const train::DifferentiatedStep&)>;

  SandwichHook(const Space& space, Point smallest, const Random& random,
               const SupernetTraining& how, LearnPath learn)
      : space_(space),
        smallest_(std::move(smallest)),
        random_(random),
        random_paths_(how.random_paths),
        distill_(how.distill),
        learn_(std::move(learn)) {}

  std::string name() const override { return "sandwich"; }

  void after_backward(GraphModule& /*module*/, const train::DifferentiatedStep& step) override {
    learn_(smallest_, step);
    for (int k = 0; k < random_paths_; ++k) {
      RandomStream random = random_.stream("path", step.number, k);
      learn_(space_.sample(random), step);
    }
  }

  // Nothing is carried from step to step, but what was chosen must stay.
  train::NamedTensors state() const override {
    return {{"random_paths", torch::tensor(random_paths_, torch::kLong)},
            {"distill", torch::tensor(distill_ ? 1 : 0, torch::kLong)}};
  }
  void load_state(const train::NamedTensors& state) override {
    for (const auto& [name, tensor] : state) {
      const auto was = tensor.item<std::int64_t>();
      const std::int64_t is = name == "distill" ? (distill_ ? 1 : 0) : random_paths_;
      if (was != is)
        throw UserError(str("a supernet that was trained with ", name, " = ", was,
                            " cannot be resumed with ", is,
                            "; restore what it was, or start again in another folder"));
    }
  }

 private:
  const Space& space_;
  Point smallest_;
  Random random_;
  int random_paths_;
  bool distill_;
  LearnPath learn_;
};

void check_images(const train::Dataset& data, const MacroSpace& macro) {
  if (data.empty()) return;  // which the stage refuses
  if (data.channels() == macro.image_channels && data.height() == macro.image_size &&
      data.width() == macro.image_size && data.classes() == macro.classes)
    return;
  throw UserError(str("the supernet's space: expected images of ", macro.image_channels, "x",
                      macro.image_size, "x", macro.image_size, " in ", macro.classes,
                      " classes, got ", data.channels(), "x", data.height(), "x", data.width(),
                      " in ", data.classes()));
}

}  // namespace

Supernet::Supernet(const MacroSpace& space, std::uint64_t seed, const std::string& device)
    : impl_(std::make_unique<Impl>(space, seed, device)) {}

Supernet::~Supernet() = default;

const Point& Supernet::largest() const { return impl_->largest; }
const Point& Supernet::smallest() const { return impl_->smallest; }

std::string Supernet::train(const train::Dataset& data, const SupernetTraining& how) {
  check_images(data, impl_->macro);
  const train::TrainingConfig& config = how.training;
  SandwichHook hook(impl_->space, impl_->smallest, impl_->random, how,
                    [&](const Point& point, const train::DifferentiatedStep& step) {
                      GraphModule module = impl_->path(point);
                      module.train();
                      const torch::Tensor logits = [&] {
                        const train::Autocast autocast(module.device(), config.in_bf16());
                        return module.forward(step.images);
                      }();
                      torch::Tensor loss =
                          train::classification_loss(logits, step.targets, config.label_smoothing);
                      if (how.distill)
                        loss = (1 - config.distill_weight) * loss +
                               config.distill_weight *
                                   train::distillation_loss(logits, step.logits,
                                                            config.distill_temperature);
                      loss.backward();
                      impl_->add_gradients(point, module);
                    });
  train::TrainContext context;
  context.run_folder = how.folder;
  context.stage = kStage;
  context.epochs = how.epochs;
  context.seed = impl_->random.seed();
  context.threads = how.threads;
  context.normalize = how.normalize;
  context.augment = how.augment;
  context.hooks = {&hook};
  context.resume = how.resume;
  context.stop_requested = how.stop_requested;
  // Not validated from epoch to epoch: the statistics of the largest path are no one's while it is
  // trained with others.
  return train::train(impl_->all, data, {}, config, context).weights_hash;
}

ir::Graph Supernet::candidate(const Point& point, const Calibration& calibration) const {
  XGEN_CHECK(impl_->space.contains(point), "a point of another space");
  XGEN_CHECK(calibration.batches > 0 && !calibration.data.empty(), "nothing to calibrate on");
  GraphModule own(impl_->path(point).to_graph(), impl_->all.device());
  train::measure_batch_norm(own, calibration.data, calibration.normalize, calibration.batch_size,
                            calibration.batches, impl_->random);
  return own.to_graph();
}

double Supernet::accuracy(const Point& point, const Calibration& calibration,
                          const train::Dataset& samples) const {
  GraphModule module(candidate(point, calibration), impl_->all.device());
  return train::evaluate(module, samples, calibration.normalize).top1;
}

}  // namespace xgen::search
