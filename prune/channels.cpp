#include "prune/channels.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "core/glob.h"
#include "core/ir/rewrite/shrink_channels.h"
#include "core/suggest.h"
#include "prune/layers.h"
#include "prune/rate_text.h"

namespace xgen::prune {

namespace {

// A group with its units from the least score on; those that cannot go are left out.
struct Candidate {
  ThinnedGroup group;
  std::vector<ir::ChannelUnit> removable;
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

std::vector<Candidate> candidates_of(const ir::Graph& graph, const FilterScores& scores,
                                     const PruneConfig& config, const std::set<std::string>& kept) {
  std::vector<Candidate> candidates;
  for (const ir::ChannelGroup& group : ir::channel_groups(graph)) {
    Candidate candidate;
    candidate.group.producers = group.producers;
    candidate.group.channels = candidate.group.kept = static_cast<int>(group.units.size());
    std::string& reason = candidate.group.reason;
    for (const std::string& node : group.producers) {
      if (any_matches(config.exclude, node)) reason = str(node, " is excluded");
      if (kept.count(node) != 0) reason = str(node, " would not be faster with fewer channels");
    }
    std::vector<std::pair<double, std::size_t>> order;
    std::string pinned;
    for (std::size_t i = 0; i < group.units.size(); ++i) {
      if (group.units[i].pinned.empty())
        order.emplace_back(score_of(graph, group.units[i], scores), i);
      else
        pinned = group.units[i].pinned;
    }
    if (order.empty() && reason.empty()) reason = pinned;
    if (reason.empty()) {
      std::stable_sort(order.begin(), order.end(),
                       [](const auto& a, const auto& b) { return a.first < b.first; });
      for (const auto& [score, unit] : order) candidate.removable.push_back(group.units[unit]);
    }
    candidates.push_back(std::move(candidate));
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
  std::vector<int> counts = at_share(candidates, 0, multiple);
  ThinnedNetwork best = thinned(graph, candidates, counts);
  if (best.conv_macs_divided_by < wanted) {
    throw UserError(str("rates/conv_macs_divided_by: expected at most ",
                        rate_text(best.conv_macs_divided_by), " by removing channels, got ",
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
    (take(at_share(candidates, middle, multiple)) ? low : high) = middle;
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
