#include "search/labelled_graph.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string_view>

#include "core/error.h"

namespace xgen::search {

namespace {

// FNV-1a: the same on every machine, for studies that are kept.
std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return hash;
}

}  // namespace

GraphFeatures weisfeiler_lehman(const LabelledGraph& graph, int rounds) {
  const std::size_t nodes = graph.labels.size();
  std::vector<std::vector<std::size_t>> producers(nodes), readers(nodes);
  for (const auto& [from, to] : graph.edges) {
    const auto a = static_cast<std::size_t>(from), b = static_cast<std::size_t>(to);
    XGEN_CHECK(a < nodes && b < nodes, "an edge between nodes ", from, " and ", to, " of ", nodes);
    readers[a].push_back(b);
    producers[b].push_back(a);
  }
  std::vector<std::uint64_t> labels;
  for (const std::string& label : graph.labels) labels.push_back(hash_of("0 " + label));
  const auto sorted_labels = [&](const std::vector<std::size_t>& of) {
    std::vector<std::uint64_t> sorted;
    for (const std::size_t node : of) sorted.push_back(labels[node]);
    std::sort(sorted.begin(), sorted.end());
    std::string text;
    for (const std::uint64_t label : sorted) text += " " + std::to_string(label);
    return text;
  };
  std::map<std::uint64_t, double> counts;
  for (int round = 0; round <= rounds; ++round) {
    for (const std::uint64_t label : labels) counts[label] += 1;
    std::vector<std::uint64_t> next;
    for (std::size_t node = 0; node < nodes; ++node)
      next.push_back(hash_of(std::to_string(round + 1) + " " + std::to_string(labels[node]) + " <" +
                             sorted_labels(producers[node]) + " >" + sorted_labels(readers[node])));
    labels = std::move(next);
  }
  double square = 0;
  for (const auto& [label, count] : counts) square += count * count;
  GraphFeatures features;
  for (const auto& [label, count] : counts) features.emplace_back(label, count / std::sqrt(square));
  return features;
}

double similarity(const GraphFeatures& a, const GraphFeatures& b) {
  double both = 0;
  auto left = a.begin(), right = b.begin();
  while (left != a.end() && right != b.end()) {
    if (left->first < right->first) {
      ++left;
    } else if (right->first < left->first) {
      ++right;
    } else {
      both += left->second * right->second;
      ++left, ++right;
    }
  }
  return both;
}

}  // namespace xgen::search
