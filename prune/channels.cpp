#include "prune/channels.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "core/error.h"
#include "core/glob.h"
#include "core/ir/rewrite/shrink_channels.h"
#include "core/suggest.h"
#include "prune/layers.h"
#include "prune/rate_text.h"

namespace xgen::prune {

namespace {

// Units of a group whose filters are those of the same layers, from the least score on; those that
// cannot go are left out.
struct Candidate {
  ThinnedGroup group;
  std::vector<ir::ChannelUnit> removable;
  std::vector<double> scores;  // of the removable ones
};

double score_of(const ir::Graph& graph, const ir::ChannelUnit& unit, const FilterScores& scores) {
  double sum = 0;
  for (const ir::ConstantSlice& slice : unit.filters) {
    const auto found = scores.find(graph.value(slice.constant).name);
    if (found != scores.end()) sum += found->second.at(static_cast<std::size_t>(slice.index));
  }
  return sum;
}

bool any_matches(const std::vector<std::string>& globs, const std::string& name) {
  return std::any_of(globs.begin(), globs.end(),
                     [&](const std::string& glob) { return matches_glob(glob, name); });
}

// By the weights whose filters they hold, in the order of the graph. Layers that share a residual
// sum of rising width do not share all of its channels: each keeps some of its own.
std::map<std::set<ir::ValueId>, std::vector<ir::ChannelUnit>> by_weights(
    const ir::ChannelGroup& group) {
  std::map<std::set<ir::ValueId>, std::vector<ir::ChannelUnit>> units;
  for (const ir::ChannelUnit& unit : group.units) {
    std::set<ir::ValueId> weights;
    for (const ir::ConstantSlice& slice : unit.filters) weights.insert(slice.constant);
    units[weights].push_back(unit);
  }
  return units;
}

std::vector<std::string> producers_of(const ir::Graph& graph, const ir::ChannelGroup& group,
                                      const std::set<ir::ValueId>& weights) {
  std::vector<std::string> producers;
  for (const std::string& name : group.producers) {
    const ir::Node& node = *graph.find_node(name);
    if (std::any_of(node.inputs.begin(), node.inputs.end(),
                    [&](ir::ValueId input) { return weights.count(input) != 0; }))
      producers.push_back(name);
  }
  return producers;
}

std::vector<Candidate> candidates_of(const ir::Graph& graph, const FilterScores& scores,
                                     const PruneConfig& config, const std::set<std::string>& kept) {
  std::vector<Candidate> candidates;
  for (const ir::ChannelGroup& group : ir::channel_groups(graph)) {
    for (const auto& [weights, units] : by_weights(group)) {
      Candidate candidate;
      candidate.group.producers = producers_of(graph, group, weights);
      candidate.group.channels = candidate.group.kept = static_cast<int>(units.size());
      std::string& reason = candidate.group.reason;
      for (const std::string& node : candidate.group.producers) {
        if (any_matches(config.exclude, node)) reason = str(node, " is excluded");
        if (kept.count(node) != 0) reason = str(node, " would not be faster with fewer channels");
      }
      std::vector<std::pair<double, std::size_t>> order;
      std::string pinned;
      for (std::size_t i = 0; i < units.size(); ++i) {
        if (units[i].pinned.empty())
          order.emplace_back(score_of(graph, units[i], scores), i);
        else
          pinned = units[i].pinned;
      }
      if (order.empty() && reason.empty()) reason = pinned;
      if (reason.empty()) {
        std::stable_sort(order.begin(), order.end(),
                         [](const auto& a, const auto& b) { return a.first < b.first; });
        for (const auto& [score, unit] : order) {
          candidate.removable.push_back(units[unit]);
          candidate.scores.push_back(score);
        }
      }
      candidates.push_back(std::move(candidate));
    }
  }
  return candidates;
}

// As many channels as `share` says, in whole lanes.
int kept_of(const Candidate& candidate, double share, int multiple) {
  const int channels = candidate.group.channels,
            pinned = channels - static_cast<int>(candidate.removable.size()),
            wanted = static_cast<int>(std::ceil(share * channels - 1e-9));
  const int whole = (std::max({wanted, pinned, 1}) + multiple - 1) / multiple * multiple;
  return std::min(channels, whole);
}

std::int64_t conv_macs(const ir::Graph& graph) {
  std::int64_t sum = 0;
  for (const Layer& layer : layers_of(graph)) {
    if (layer.is_conv()) sum += layer.macs;
  }
  return sum;
}

// Of each weight that loses some.
std::map<std::string, std::vector<std::int64_t>> filters_that_stay(
    const ir::Graph& graph, const std::vector<ir::ChannelUnit>& removed) {
  std::map<ir::ValueId, std::pair<int, std::set<int>>> gone;  // axis and indices, by weight
  for (const ir::ChannelUnit& unit : removed) {
    for (const ir::ConstantSlice& slice : unit.filters) {
      gone[slice.constant].first = slice.axis;
      gone[slice.constant].second.insert(slice.index);
    }
  }
  std::map<std::string, std::vector<std::int64_t>> stay;
  for (const auto& [weight, lost] : gone) {
    const ir::Value& value = graph.value(weight);
    const std::int64_t count = value.constant->shape[static_cast<std::size_t>(lost.first)];
    std::vector<std::int64_t>& filters = stay[value.name];
    for (int i = 0; i < count; ++i) {
      if (lost.second.count(i) == 0) filters.push_back(i);
    }
  }
  return stay;
}

ThinnedNetwork thinned(const ir::Graph& graph, const std::vector<Candidate>& candidates,
                       const std::vector<int>& kept) {
  ThinnedNetwork result;
  std::vector<ir::ChannelUnit> removed;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    ThinnedGroup group = candidates[i].group;
    if (!candidates[i].removable.empty()) {
      group.kept = kept[i];
      removed.insert(removed.end(), candidates[i].removable.begin(),
                     candidates[i].removable.begin() + (group.channels - group.kept));
      if (group.kept == group.channels) group.reason = "the rate leaves all of its lanes";
    }
    result.groups.push_back(std::move(group));
  }
  result.graph = removed.empty() ? graph : ir::shrink_channels(graph, removed);
  result.filters = filters_that_stay(graph, removed);
  result.conv_macs_divided_by =
      static_cast<double>(conv_macs(graph)) /
      static_cast<double>(std::max<std::int64_t>(1, conv_macs(result.graph)));
  return result;
}

std::vector<int> at_share(const std::vector<Candidate>& candidates, double share, int multiple) {
  std::vector<int> kept;
  for (const Candidate& c : candidates) kept.push_back(kept_of(c, share, multiple));
  return kept;
}

// The multiply-adds that go with one channel of a candidate, as long as nothing else goes.
double macs_per_channel(const ir::Graph& graph, const std::vector<Candidate>& candidates,
                        std::size_t index) {
  const Candidate& c = candidates[index];
  const std::vector<ir::ChannelUnit> one{c.removable.front()};
  return static_cast<double>(conv_macs(graph) - conv_macs(ir::shrink_channels(graph, one)));
}

// Ranks the channels of all layers together, by score per multiply-add that goes with them.
class NetworkRanking {
 public:
  NetworkRanking(const ir::Graph& graph, const std::vector<Candidate>& candidates, double share_min)
      : candidates_(candidates), share_min_(share_min) {
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      if (candidates[i].removable.empty() || candidates[i].group.channels == 1) continue;
      const double macs = std::max(1.0, macs_per_channel(graph, candidates, i));
      for (const double score : candidates[i].scores) order_.emplace_back(score / macs, i);
    }
    std::stable_sort(order_.begin(), order_.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
  }

  // How many channels each candidate keeps where of all that can go a share stays.
  std::vector<int> at_share(double share, int multiple) const {
    std::vector<int> gone(candidates_.size());
    const auto count = static_cast<std::size_t>((1 - share) * static_cast<double>(order_.size()));
    for (std::size_t i = 0; i < count; ++i) ++gone[order_[i].second];
    std::vector<int> kept;
    for (std::size_t i = 0; i < candidates_.size(); ++i) {
      const int channels = candidates_[i].group.channels;
      const double left = static_cast<double>(channels - gone[i]) / channels;
      kept.push_back(kept_of(candidates_[i], std::max(share_min_, left), multiple));
    }
    return kept;
  }

 private:
  const std::vector<Candidate>& candidates_;
  double share_min_;
  std::vector<std::pair<double, std::size_t>> order_;  // score per multiply-add, candidate
};

std::vector<int> as_listed(const std::vector<Candidate>& candidates,
                           const std::map<std::string, double>& listed, int multiple) {
  std::vector<int> kept = at_share(candidates, 1, multiple);
  std::vector<std::string> names;
  for (const Candidate& c : candidates)
    names.insert(names.end(), c.group.producers.begin(), c.group.producers.end());
  for (const auto& [glob, rate] : listed) {
    bool known = false;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      const ThinnedGroup& group = candidates[i].group;
      for (const std::string& node : group.producers) {
        if (!matches_glob(glob, node)) continue;
        known = true;
        if (candidates[i].removable.empty() && rate > 1 && glob == node)
          throw UserError(str("rates/per_layer: the channels of \"", node,
                              "\" cannot be removed: ", group.reason));
        const int least = kept_of(candidates[i], 0, multiple);
        if (glob == node && rate * least > group.channels)
          throw UserError(str("rates/per_layer: \"", node, "\": expected at most ",
                              rate_text(static_cast<double>(group.channels) / least), ", got ",
                              rate, "; of its ", group.channels, " channels ", least,
                              " must stay"));
        kept[i] = std::min(kept[i], kept_of(candidates[i], 1 / rate, multiple));
      }
    }
    if (!known)
      throw UserError(str("rates/per_layer: \"", glob, "\" matches no layer with filters",
                          did_you_mean(glob, names)));
  }
  return kept;
}

}  // namespace

ThinnedNetwork thin_channels(const ir::Graph& graph, const FilterScores& scores,
                             const PruneConfig& config, const std::set<std::string>& kept) {
  const std::vector<Candidate> candidates = candidates_of(graph, scores, config, kept);
  const int multiple = config.lane_channels();
  if (!config.rates.conv_macs_divided_by)
    return thinned(graph, candidates, as_listed(candidates, config.rates.per_layer, multiple));

  const double wanted = *config.rates.conv_macs_divided_by;
  std::optional<NetworkRanking> ranking;
  if (config.ranking == "network") ranking.emplace(graph, candidates, config.share_min);
  const auto counts_at = [&](double share) {
    return ranking ? ranking->at_share(share, multiple) : at_share(candidates, share, multiple);
  };
  std::vector<int> counts = counts_at(0);
  ThinnedNetwork best = thinned(graph, candidates, counts);
  if (best.conv_macs_divided_by < wanted) {
    throw UserError(str("rates/conv_macs_divided_by: expected at most ",
                        rate_text(best.conv_macs_divided_by), " by removing channels",
                        ranking ? str(" where share_min is ", config.share_min) : "", ", got ",
                        wanted));
  }
  const auto take = [&](const std::vector<int>& tried) {
    ThinnedNetwork network = thinned(graph, candidates, tried);
    if (network.conv_macs_divided_by < wanted) return false;
    best = std::move(network);
    counts = tried;
    return true;
  };
  // The largest share that will do; then lanes one by one, as lanes are coarse.
  double low = 0, high = 1;
  for (int step = 0; step < 10; ++step) {
    const double middle = (low + high) / 2;
    (take(counts_at(middle)) ? low : high) = middle;
  }
  for (bool more = true; more;) {
    more = false;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      std::vector<int> tried = counts;
      tried[i] = std::min(candidates[i].group.channels, tried[i] + multiple);
      if (!candidates[i].removable.empty() && tried[i] > counts[i]) more = take(tried) || more;
    }
  }
  return best;
}

}  // namespace xgen::prune
