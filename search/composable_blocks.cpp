#include "search/composable_blocks.h"

#include <algorithm>
#include <map>
#include <utility>

#include "core/error.h"
#include "prune/layers.h"
#include "search/compression.h"

namespace xgen::search {

namespace {

// Nodes first .. last, which `entry` alone enters and `exit` alone leaves.
struct Segment {
  std::size_t first = 0, last = 0;
  ir::ValueId entry = ir::kNoValue, exit = ir::kNoValue;
};

// The smallest segments there are, in order.
std::vector<Segment> segments_of(const ir::Graph& graph) {
  const std::size_t nodes = graph.nodes().size();
  const ir::UseMap uses(graph);
  // By node: what it is the last one to read, and how many more weights have readers on both sides
  // of the gap behind it. A constant under two names is one weight.
  std::vector<std::vector<ir::ValueId>> ended(nodes);
  std::vector<int> crossing(nodes, 0);
  std::map<const ir::Constant*, std::pair<int, int>> weights;
  std::set<ir::ValueId> live(graph.inputs().begin(), graph.inputs().end());
  for (std::size_t v = 0; v < graph.values().size(); ++v) {
    const auto readers = uses.readers[v];
    const auto id = static_cast<ir::ValueId>(v);
    if (readers.empty()) continue;
    const auto [first, last] = std::minmax_element(readers.begin(), readers.end());
    const ir::Constant* constant = graph.constant(id);
    if (constant != nullptr && constant->role != ir::Role::fixed) {
      auto& [from, to] = weights.emplace(constant, std::pair(*first, *last)).first->second;
      from = std::min(from, *first);
      to = std::max(to, *last);
    }
    const bool is_output =
        std::find(graph.outputs().begin(), graph.outputs().end(), id) != graph.outputs().end();
    if (constant == nullptr && !is_output) ended[static_cast<std::size_t>(*last)].push_back(id);
  }
  for (const auto& [weight, readers] : weights) {
    ++crossing[static_cast<std::size_t>(readers.first)];
    --crossing[static_cast<std::size_t>(readers.second)];
  }
  std::vector<Segment> segments;
  Segment next{0, 0, live.size() == 1 ? *live.begin() : ir::kNoValue, ir::kNoValue};
  int cut_weights = 0;
  for (std::size_t n = 0; n < nodes; ++n) {
    live.insert(graph.nodes()[n].outputs.begin(), graph.nodes()[n].outputs.end());
    for (const ir::ValueId id : ended[n]) live.erase(id);
    cut_weights += crossing[n];
    if (live.size() != 1 || cut_weights != 0) continue;
    next.last = n;
    next.exit = *live.begin();
    if (next.entry != ir::kNoValue) segments.push_back(next);
    next = {n + 1, n + 1, next.exit, ir::kNoValue};
  }
  return segments;
}

bool same_extents(const ir::Graph& graph, ir::ValueId a, ir::ValueId b) {
  return graph.value(a).type.shape && graph.value(a).type.shape == graph.value(b).type.shape;
}

}  // namespace

std::vector<NetworkBlock> blocks_of(const ir::Graph& network,
                                    const std::vector<std::string>& layers) {
  std::set<std::string> with_weights;
  for (const prune::Layer& layer : prune::layers_of(network)) with_weights.insert(layer.node);
  const std::set<std::string> deciding(layers.begin(), layers.end());
  const auto has_weights = [&](const Segment& s) {
    for (std::size_t n = s.first; n <= s.last; ++n) {
      if (with_weights.count(network.nodes()[n].name) != 0) return true;
    }
    return false;
  };
  std::vector<Segment> joined;
  bool open = false;  // the last one has no layer yet
  for (const Segment& s : segments_of(network)) {
    const bool layer = has_weights(s);
    if (!joined.empty() &&
        (open || (!layer && same_extents(network, joined.back().exit, s.exit)))) {
      joined.back().last = s.last;
      joined.back().exit = s.exit;
      open = open && !layer;
    } else {
      joined.push_back(s);
      open = !layer;
    }
  }
  std::vector<NetworkBlock> blocks;
  for (const Segment& s : joined) {
    NetworkBlock block{network.value(s.entry).name, network.value(s.exit).name, {}, {}};
    for (std::size_t n = s.first; n <= s.last; ++n) {
      const std::string& name = network.nodes()[n].name;
      block.nodes.push_back(name);
      if (deciding.count(name) != 0) block.layers.push_back(name);
    }
    if (!block.layers.empty()) blocks.push_back(std::move(block));
  }
  return blocks;
}

BlockSequence sequence_of(const std::vector<NetworkBlock>& blocks,
                          const std::vector<Parameter>& parameters, const Point& point) {
  XGEN_CHECK(point.size() == parameters.size(), "a point of another space");
  const std::string dense = PruningChoice{}.name();
  BlockSequence sequence;
  for (const NetworkBlock& block : blocks) {
    BlockChoices choices;
    bool pruned = false;
    for (const std::string& layer : block.layers) {
      const auto at = std::find_if(parameters.begin(), parameters.end(),
                                   [&](const Parameter& p) { return p.name == layer; });
      XGEN_CHECK(at != parameters.end(), "no parameter decides on \"", layer, '"');
      choices.push_back(point[static_cast<std::size_t>(at - parameters.begin())]);
      pruned = pruned || at->choices[static_cast<std::size_t>(choices.back())] != dense;
    }
    sequence.push_back(pruned ? std::move(choices) : BlockChoices{});
  }
  return sequence;
}

std::string TuningBlock::name() const {
  std::string text = std::to_string(first);
  for (const BlockChoices& block : choices) {
    text += '(';
    for (std::size_t i = 0; i < block.size(); ++i) text += str(i == 0 ? "" : ",", block[i]);
    text += ')';
  }
  return text;
}

std::vector<TuningBlock> tuning_blocks(const std::vector<NetworkBlock>& blocks,
                                       const std::vector<BlockSequence>& candidates, double share) {
  std::vector<std::vector<TuningBlock>> sequences;
  std::map<TuningBlock, int> occurrences;  // of single blocks
  for (const BlockSequence& candidate : candidates) {
    XGEN_CHECK(candidate.size() == blocks.size(), "a candidate of another network");
    std::vector<TuningBlock>& sequence = sequences.emplace_back();
    for (std::size_t b = 0; b < blocks.size(); ++b) {
      if (candidate[b].empty()) continue;
      sequence.push_back({b, {candidate[b]}});
      ++occurrences[sequence.back()];
    }
  }
  const auto most_frequent = [&](const TuningBlock& rule) {
    int most = 0;
    for (std::size_t i = 0; i < rule.choices.size(); ++i)
      most = std::max(most, occurrences.at({rule.first + i, {rule.choices[i]}}));
    return most;
  };
  const auto adjacent = [&](const TuningBlock& a, const TuningBlock& b) {
    return a.first + a.choices.size() == b.first &&
           blocks[b.first - 1].exit == blocks[b.first].entry;
  };
  for (;;) {
    using Pair = std::pair<TuningBlock, TuningBlock>;
    std::map<Pair, int> pairs;
    for (const auto& sequence : sequences) {
      for (std::size_t i = 0; i + 1 < sequence.size(); ++i) {
        if (adjacent(sequence[i], sequence[i + 1])) ++pairs[{sequence[i], sequence[i + 1]}];
      }
    }
    const Pair* best = nullptr;
    int best_count = 1;  // once is no repetition
    for (const auto& [pair, count] : pairs) {
      const int most = std::max(most_frequent(pair.first), most_frequent(pair.second));
      if (count <= best_count || count < share * most) continue;
      best = &pair;
      best_count = count;
    }
    if (best == nullptr) break;
    for (auto& sequence : sequences) {
      for (std::size_t i = 0; i + 1 < sequence.size(); ++i) {
        if (sequence[i] != best->first || sequence[i + 1] != best->second) continue;
        auto& rule = sequence[i].choices;
        const auto& rest = sequence[i + 1].choices;
        rule.insert(rule.end(), rest.begin(), rest.end());
        sequence.erase(sequence.begin() + static_cast<std::ptrdiff_t>(i) + 1);
        break;  // a block stands in a candidate once
      }
    }
  }
  std::set<TuningBlock> found;
  for (const auto& sequence : sequences) found.insert(sequence.begin(), sequence.end());
  return {found.begin(), found.end()};
}

std::optional<std::vector<TuningBlock>> cover(const std::set<TuningBlock>& known,
                                              const BlockSequence& candidate) {
  using Cover = std::optional<std::vector<TuningBlock>>;
  // By position: what covers the rest from there on.
  std::vector<Cover> rest(candidate.size() + 1);
  rest.back().emplace();
  for (std::size_t at = candidate.size(); at-- > 0;) {
    if (candidate[at].empty()) {
      rest[at] = rest[at + 1];
      continue;
    }
    TuningBlock block{at, {}};
    for (std::size_t end = at; end < candidate.size() && !candidate[end].empty(); ++end) {
      block.choices.push_back(candidate[end]);
      const Cover& behind = rest[end + 1];
      if (!behind || known.count(block) == 0) continue;
      if (rest[at] && rest[at]->size() < behind->size() + 1) continue;
      rest[at] = behind;
      rest[at]->insert(rest[at]->begin(), block);
    }
  }
  return rest.front();
}

}  // namespace xgen::search
