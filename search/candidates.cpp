#include "search/candidates.h"

#include <utility>

#include "core/error.h"
#include "core/ir/infer_shapes.h"
#include "core/ir/one_image.h"
#include "train/zoo/net_builder.h"

namespace xgen::search {

const std::vector<float>& Candidates::DrawnWeights::of(const std::string& name,
                                                       const ir::Extents& shape) {
  // 64 MB: spaces with many widths have many weights.
  constexpr std::size_t kMostElements = 16 << 20;
  if (const auto found = known_.find({name, shape}); found != known_.end()) return found->second;
  std::vector<float> drawn = train::initial_weights(Random(0), name, shape);
  if (elements_ + drawn.size() > kMostElements) {
    known_.clear();
    elements_ = 0;
  }
  elements_ += drawn.size();
  return known_[{name, shape}] = std::move(drawn);
}

Candidates::Candidates(Architectures architectures,
                       const std::optional<CompressionConfig>& compression,
                       const prune::PruneConfig& base,
                       const std::vector<ConditionConfig>& conditions, const std::string& where)
    : architectures_(std::move(architectures)) {
  Space space = std::visit([](const auto& a) { return a.space(); }, architectures_);
  architecture_parameters_ = space.parameters.size();
  if (compression) {
    // Which weights are kept depends on their values.
    if (space.size() == 1)
      only_ = ir::for_one_image(this->network(Point(architecture_parameters_, 0), Random(0)));
    if (compression->per == "layer") {
      if (!only_)
        throw UserError(str(where,
                            " /compression/per: \"layer\" asks for a space with one architecture, "
                            "this one has ",
                            space.size(), "; expected \"network\""));
    }
    compression_.emplace(*compression, base, only_.value_or(ir::Graph()), where + " /compression");
    for (const Parameter& p : compression_->parameters()) space.parameters.push_back(p);
  }
  space_ = with_conditions(std::move(space), conditions, where + " /conditions");
}

Point Candidates::architecture_of(const Point& point) const {
  XGEN_CHECK(point.size() == space_.parameters.size(), "a point of another space");
  return {point.begin(), point.begin() + static_cast<std::ptrdiff_t>(architecture_parameters_)};
}

Point Candidates::compression_of(const Point& point) const {
  return {point.begin() + static_cast<std::ptrdiff_t>(architecture_parameters_), point.end()};
}

ir::Graph Candidates::network(const Point& point, const std::optional<Random>& random) const {
  const Point architecture{point.begin(),
                           point.begin() + static_cast<std::ptrdiff_t>(architecture_parameters_)};
  return std::visit([&](const auto& a) { return a.network(architecture, random); }, architectures_);
}

CandidateCost Candidates::cost(const Point& point, const Target& target,
                               const latency::LatencyTable& table) const {
  if (!compression_) return cost_of(network(point, std::nullopt), target, table);
  const auto cost_by = [&](const ir::Graph& image, const MaskedWeights& weights) {
    return cost_of(compression_->deployed(image, compression_of(point), weights), target, table);
  };
  if (only_) return cost_by(*only_, {prune::reader_of(*only_), true});
  // What is left of a model's weights depends on all choices.
  if (std::holds_alternative<ModelSpace>(architectures_)) {
    const ir::Graph image = ir::for_one_image(network(point, Random(0)));
    return cost_by(image, {prune::reader_of(image), false});
  }
  const ir::Graph image = ir::for_one_image(network(point, std::nullopt));
  const auto read = [&](const std::string& name) {
    return weights_.of(name, ir::extents(*image.value(image.find(name)).type.shape));
  };
  return cost_by(image, {read, true});
}

LabelledGraph Candidates::labelled(const Point& point) const {
  LabelledGraph graph =
      std::visit([&](const auto& a) { return a.labelled(architecture_of(point)); }, architectures_);
  if (!compression_) return graph;
  for (std::string& label : compression_->labels(compression_of(point)))
    graph.labels.push_back(std::move(label));
  return graph;
}

std::optional<std::int64_t> Candidates::resolution(const Point& point) const {
  const auto* model = std::get_if<ModelSpace>(&architectures_);
  return model == nullptr ? std::nullopt : model->resolution(architecture_of(point));
}

nlohmann::json Candidates::stages(const nlohmann::json& stages, const Point& point) const {
  if (!compression_) return stages;
  return compression_->stages(stages, ir::for_one_image(network(point, std::nullopt)),
                              compression_of(point));
}

}  // namespace xgen::search
