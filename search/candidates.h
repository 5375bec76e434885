#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/ir/graph.h"
#include "core/random.h"
#include "prune/config.h"
#include "search/candidate_cost.h"
#include "search/compression.h"
#include "search/conditions.h"
#include "search/labelled_graph.h"
#include "search/space.h"
#include "search/spaces/macro.h"
#include "search/spaces/model.h"
#include "search/spaces/resnet.h"
#include "search/spaces/vgg.h"

namespace xgen::search {

/// Spaces of networks; search/spaces/ has one file each.
using Architectures = std::variant<MacroSpace, ModelSpace, ResnetSpace, VggSpace>;

/// What the points of a search stand for: a network and what is done to its weights. A point is
/// that of the architecture with that of the compression behind it.
class Candidates {
 public:
  /// @param base   of the prune stage in the run that tries candidates.
  /// @param architectures  a model's resolved.
  /// @param where  of the config, for messages: "FILE:".
  /// @throws UserError for compression layer by layer of several architectures, and as
  /// Compression() and with_conditions() do.
  Candidates(Architectures architectures, const std::optional<CompressionConfig>& compression,
             const prune::PruneConfig& base, const std::vector<ConditionConfig>& conditions,
             const std::string& where);

  const Space& space() const { return space_; }
  /// The parts of a point that decide on the architecture and on the compression.
  Point architecture_of(const Point& point) const;
  Point compression_of(const Point& point) const;
  const std::optional<Compression>& compression() const { return compression_; }
  /// The network that a run starts from, not compressed.
  ir::Graph network(const Point& point, const std::optional<Random>& random) const;
  /// What the candidate costs when its run has compressed it. One thread at a time.
  CandidateCost cost(const Point& point, const Target& target,
                     const latency::LatencyTable& table) const;
  LabelledGraph labelled(const Point& point) const;
  /// Height and width of the images that the candidate is trained with, where that is a choice.
  std::optional<std::int64_t> resolution(const Point& point) const;
  /// The stages of a run that trains and compresses the candidate. @throws UserError naming the
  /// place in the run's config.
  nlohmann::json stages(const nlohmann::json& stages, const Point& point) const;

 private:
  // Those that a network of the space which nobody has trained would have, drawn when first asked
  // for.
  class DrawnWeights {
   public:
    const std::vector<float>& of(const std::string& name, const ir::Extents& shape);

   private:
    std::map<std::pair<std::string, ir::Extents>, std::vector<float>> known_;
    std::size_t elements_ = 0;
  };

  Architectures architectures_;
  std::optional<Compression> compression_;
  Space space_;
  std::size_t architecture_parameters_ = 0;
  std::optional<ir::Graph> only_;  ///< for one image: the network, where there is but one.
  mutable DrawnWeights weights_;
};

}  // namespace xgen::search
