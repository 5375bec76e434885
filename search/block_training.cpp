#include "search/block_training.h"

#include <cmath>
#include <optional>
#include <utility>

#include "core/error.h"
#include "core/ir/infer_shapes.h"
#include "core/ir/one_image.h"
#include "prune/masks.h"
#include "search/torch_device.h"
#include "train/graph_module.h"
#include "train/hook.h"
#include "train/stage.h"
#include "train/tensors.h"

namespace xgen::search {

namespace {

using torch::Tensor;
using train::GraphModule;

constexpr const char* kBlocksStage = "blocks";
// The node that reads the images and of each tuning block what it computes and what it should.
constexpr const char* kCompare = "blocks.compare";

std::vector<std::string> deciding_layers(const ir::Graph& network, const Compression& compression) {
  std::vector<std::string> names;
  for (const Parameter& p : compression.parameters()) {
    if (network.find_node(p.name) != nullptr) names.push_back(p.name);
  }
  return names;
}

// Before the names of a tuning block's own nodes and weights.
std::string prefix_of(const TuningBlock& block) { return block.name() + "/"; }

// Adds the nodes of `block` as they are in the teacher, with weights of their own.
// @return what it computes, and what it should.
std::pair<ir::ValueId, ir::ValueId> add_copy(ir::Graph& graph, const ir::Graph& teacher,
                                             const std::vector<NetworkBlock>& blocks,
                                             const TuningBlock& block) {
  const std::string prefix = prefix_of(block);
  std::map<ir::ValueId, ir::ValueId> own;
  // One constant is one parameter, so each copy has its own.
  std::map<ir::ConstantPtr, ir::ConstantPtr> copies;
  for (std::size_t i = 0; i < block.choices.size(); ++i) {
    for (const std::string& name : blocks[block.first + i].nodes) {
      const ir::Node& node = *teacher.find_node(name);
      XGEN_CHECK(node.outputs.size() == 1, "node \"", name, "\" with several results");
      std::vector<ir::ValueId> inputs;
      for (const ir::ValueId id : node.inputs) {
        const ir::ConstantPtr constant = id == ir::kNoValue ? nullptr : teacher.value(id).constant;
        if (constant != nullptr && constant->role != ir::Role::fixed && own.count(id) == 0) {
          ir::ConstantPtr& copy = copies[constant];
          if (copy == nullptr) copy = std::make_shared<const ir::Constant>(*constant);
          own[id] = graph.add_constant(prefix + teacher.value(id).name, copy);
        }
        const auto found = own.find(id);
        inputs.push_back(found == own.end() ? id : found->second);
      }
      own[node.output()] = graph.add_node(prefix + name, node.op, std::move(inputs));
    }
  }
  const ir::ValueId exit = teacher.find(blocks[block.first + block.choices.size() - 1].exit);
  return {own.at(exit), exit};
}

// The teacher, whose weights are constants here, with all blocks beside it. Of the teacher only
// what they read and follow is left.
ir::Graph training_graph(const ir::Graph& teacher, const std::vector<NetworkBlock>& blocks,
                         const std::vector<TuningBlock>& tuned) {
  XGEN_CHECK(teacher.inputs().size() == 1, "a teacher with ", teacher.inputs().size(), " inputs");
  ir::Graph graph = teacher;
  for (std::size_t id = 0; id < teacher.values().size(); ++id) {
    ir::Value& value = graph.value(static_cast<ir::ValueId>(id));
    if (value.constant == nullptr || value.constant->role == ir::Role::fixed) continue;
    ir::Constant constant = *value.constant;
    constant.role = ir::Role::fixed;
    value.constant = std::make_shared<const ir::Constant>(std::move(constant));
  }
  // The module trains, the teacher does not.
  for (ir::Node& node : graph.mutable_nodes()) {
    if (auto* dropout = node.as<ir::Dropout>()) dropout->ratio = 0;
  }
  std::vector<ir::ValueId> compared = teacher.inputs();
  for (const TuningBlock& block : tuned) {
    const auto [is, should] = add_copy(graph, teacher, blocks, block);
    compared.push_back(is);
    compared.push_back(should);
  }
  graph.set_outputs({graph.add_node(kCompare, ir::Concat{}, compared)});
  return graph.pruned();
}

// Trains a training_graph(): its one loss is how far the blocks are from the teacher. The stage
// asks for logits of classes; they are zeros, whose cross entropy log(classes) is a constant.
class ReconstructionHook final : public train::TrainingHook {
 public:
  ReconstructionHook(GraphModule& module, std::size_t blocks, std::int64_t classes,
                     prune::MaskSet masks)
      : classes_(classes),
        masks_(std::move(masks)),
        sums_(torch::zeros({static_cast<std::int64_t>(blocks)}, torch::kDouble)),
        errors_(torch::zeros_like(sums_)) {
    for (const auto& [name, tensor] : module.parameters()) params_[name] = tensor;
    module.set_node_function(
        [this](const ir::Node& node,
               const std::vector<Tensor>& inputs) -> std::optional<std::vector<Tensor>> {
          if (node.name != kCompare) return std::nullopt;
          return {{compare(inputs)}};
        });
  }

  std::string name() const override { return "reconstruction"; }
  void begin(GraphModule& /*module*/) override { masks_.apply(params_); }
  void before_epoch(GraphModule& /*module*/, std::int64_t /*epoch*/) override {
    sums_.zero_();
    steps_ = 0;
  }
  Tensor extra_loss(GraphModule& /*module*/) override {
    sums_ += now_.detach().to(torch::kCPU, torch::kDouble);
    ++steps_;
    return now_.sum() - std::log(static_cast<double>(classes_));
  }
  void after_backward(GraphModule& /*module*/, const train::DifferentiatedStep& /*s*/) override {
    masks_.apply_to_gradients(params_);
  }
  void after_step(GraphModule& /*module*/, std::int64_t /*step*/) override {
    masks_.apply(params_);
  }
  void after_epoch(GraphModule& /*module*/, std::int64_t /*epoch*/) override {
    errors_ = sums_ / static_cast<double>(steps_);
    XGEN_CHECK(masks_.hash_of(params_) == masks_.hash(), "a pruned weight came back");
  }

  train::NamedTensors state() const override {
    return {{"masks", mask_hash()},
            {"sums", sums_},
            {"errors", errors_},
            {"steps", torch::tensor(steps_, torch::kLong)}};
  }
  void load_state(const train::NamedTensors& state) override {
    for (const auto& [name, tensor] : state) {
      if (name == "masks" && !at::equal(tensor, mask_hash()))
        throw UserError(
            "blocks that were pruned in one way cannot be trained on in another; restore the "
            "compression that it was, or start again in another folder");
      if (name == "sums") sums_.copy_(tensor);
      if (name == "errors") errors_ = tensor.clone();
      if (name == "steps") steps_ = tensor.item<std::int64_t>();
    }
  }

  double error(std::size_t block) const {
    return errors_[static_cast<std::int64_t>(block)].item<double>();
  }

 private:
  Tensor compare(const std::vector<Tensor>& inputs) {
    std::vector<Tensor> errors;
    for (std::size_t i = 1; i + 1 < inputs.size(); i += 2) {
      const Tensor should = inputs[i + 1].detach();
      // A dead activation has no variance; its error still counts.
      const Tensor variance = should.var(/*unbiased=*/false).clamp_min(1e-12);
      errors.push_back((inputs[i] - should).square().mean() / variance);
    }
    now_ = at::stack(errors);
    return torch::zeros({inputs[0].size(0), classes_}, now_.options().requires_grad(false));
  }
  Tensor mask_hash() const {
    const std::string hash = masks_.hash();
    return torch::tensor(std::vector<std::int64_t>(hash.begin(), hash.end()), torch::kLong);
  }

  std::int64_t classes_;
  prune::MaskSet masks_;
  prune::Params params_;
  Tensor now_;  ///< errors of this step's batch, by block.
  Tensor sums_, errors_;
  std::int64_t steps_ = 0;
};

}  // namespace

struct BlockLibrary::Impl {
  ir::Graph teacher, image;
  Compression compression;
  torch::Device device;
  std::vector<NetworkBlock> blocks;
  /// By the teacher's names: the weights and statistics of each block.
  std::map<TuningBlock, std::map<std::string, ir::ConstantPtr>> trained;

  Impl(const ir::Graph& network, const Compression& how, const std::string& device_name)
      : teacher(network),
        image(ir::for_one_image(network)),
        compression(how),
        device(device_of(device_name, "the blocks'")),
        blocks(blocks_of(image, deciding_layers(image, how))) {
    XGEN_CHECK(!blocks.empty(), "no layer of the network decides for itself");
  }

  std::set<TuningBlock> known() const {
    std::set<TuningBlock> names;
    for (const auto& [block, weights] : trained) names.insert(block);
    return names;
  }
  BlockSequence sequence(const Point& point) const {
    return sequence_of(blocks, compression.parameters(), point);
  }

  // Masks by magnitude that pruning finds again in what they leave. The first ones may not be: a
  // layer has a few patterns, chosen by vote, and dropped blocks, all zeros, vote as well.
  prune::MaskSet masks_of(const Point& point) const {
    constexpr int kEnough = 10;  // two rounds do, where votes of zeros displace a pattern
    ir::Graph masked = image;
    std::string before;
    for (int round = 0; round < kEnough; ++round) {
      prune::Params weights;
      const auto planned = compression.planned(masked, point);
      for (const prune::PlannedLayer& layer : planned)
        weights[layer.weight] = train::to_tensor(*masked.constant(masked.find(layer.weight)));
      const prune::MaskSet masks = prune::magnitude_masks(weights, planned);
      if (masks.hash() == before) return masks;
      before = masks.hash();
      masked = masks.annotate(image);
    }
    throw InternalError("masks by magnitude change whenever they are applied");
  }

  // The masks of all of them, by the names in the training graph.
  prune::MaskSet masks_of(const std::vector<TuningBlock>& tuned,
                          const std::vector<Point>& points) const {
    prune::MaskSet all;
    for (const Point& point : points) {
      const BlockSequence chosen = sequence(point);
      std::optional<prune::MaskSet> masks;
      for (const TuningBlock& block : tuned) {
        const auto begin = chosen.begin() + static_cast<std::ptrdiff_t>(block.first);
        if (!std::equal(block.choices.begin(), block.choices.end(), begin)) continue;
        if (!masks) masks = masks_of(point);
        for (std::size_t i = 0; i < block.choices.size(); ++i) {
          for (const std::string& layer : blocks[block.first + i].layers) {
            const std::string& weight = image.value(image.find_node(layer)->input(1)).name;
            const auto mask = masks->layers().find(weight);
            if (mask != masks->layers().end()) all.set(prefix_of(block) + weight, mask->second);
          }
        }
      }
    }
    return all;
  }

  void keep(const std::vector<TuningBlock>& tuned, const ir::Graph& graph) {
    for (const TuningBlock& block : tuned) {
      const std::string prefix = prefix_of(block);
      auto& weights = trained[block];
      for (const ir::Value& value : graph.values()) {
        const bool own = value.constant != nullptr && value.constant->role != ir::Role::fixed &&
                         value.name.starts_with(prefix);
        if (own) weights[value.name.substr(prefix.size())] = value.constant;
      }
    }
  }
};

BlockLibrary::BlockLibrary(const ir::Graph& teacher, const Compression& compression,
                           const std::string& device)
    : impl_(std::make_unique<Impl>(teacher, compression, device)) {}

BlockLibrary::~BlockLibrary() = default;

const std::vector<NetworkBlock>& BlockLibrary::blocks() const { return impl_->blocks; }

std::vector<TuningBlock> BlockLibrary::missing(const std::vector<Point>& points) const {
  // Candidates that differ in bits alone are one here.
  std::set<BlockSequence> candidates;
  for (const Point& point : points) {
    if (!covers(point)) candidates.insert(impl_->sequence(point));
  }
  std::vector<TuningBlock> wanted =
      tuning_blocks(impl_->blocks, {candidates.begin(), candidates.end()});
  std::erase_if(wanted, [&](const TuningBlock& b) { return impl_->trained.count(b) != 0; });
  return wanted;
}

BlockTrainingResult BlockLibrary::train(const std::vector<Point>& points,
                                        const train::Dataset& data, const BlockTraining& how) {
  const std::vector<TuningBlock> tuned = missing(points);
  if (tuned.empty()) return {};
  GraphModule module(training_graph(impl_->teacher, impl_->blocks, tuned), impl_->device);
  ReconstructionHook hook(module, tuned.size(), data.empty() ? 1 : data.classes(),
                          impl_->masks_of(tuned, points));
  train::TrainContext context;
  context.run_folder = how.folder;
  context.stage = kBlocksStage;
  context.epochs = how.epochs;
  context.seed = how.seed;
  context.threads = how.threads;
  context.normalize = how.normalize;
  context.augment = how.augment;
  context.hooks = {&hook};
  context.resume = how.resume;
  context.stop_requested = how.stop_requested;
  BlockTrainingResult result;
  result.weights_hash = train::train(module, data, {}, how.training, context).weights_hash;
  impl_->keep(tuned, module.to_graph());
  for (std::size_t i = 0; i < tuned.size(); ++i) result.errors[tuned[i]] = hook.error(i);
  return result;
}

bool BlockLibrary::covers(const Point& point) const {
  return cover(impl_->known(), impl_->sequence(point)).has_value();
}

ir::Graph BlockLibrary::assembled(const Point& point) const {
  const auto parts = cover(impl_->known(), impl_->sequence(point));
  XGEN_CHECK(parts.has_value(), "a candidate with blocks that were not trained");
  ir::Graph graph = impl_->teacher;
  for (const TuningBlock& part : *parts) {
    for (const auto& [name, constant] : impl_->trained.at(part))
      graph.value(graph.find(name)).constant = constant;
  }
  return graph;
}

}  // namespace xgen::search
