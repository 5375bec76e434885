#pragma once

#include <cstddef>
#include <numeric>
#include <vector>

namespace xgen {

/// Numbers 0 .. size - 1 in sets that can be joined; the lowest number of a set represents it.
class DisjointSets {
 public:
  explicit DisjointSets(std::size_t size = 0) : parent_(size) {
    std::iota(parent_.begin(), parent_.end(), std::size_t{0});
  }

  std::size_t size() const { return parent_.size(); }
  /// A new number in a set of its own.
  std::size_t add() {
    parent_.push_back(parent_.size());
    return parent_.back();
  }
  std::size_t root(std::size_t v) const {
    while (parent_[v] != v) v = parent_[v] = parent_[parent_[v]];
    return v;
  }
  void join(std::size_t a, std::size_t b) {
    a = root(a);
    b = root(b);
    parent_[a < b ? b : a] = a < b ? a : b;
  }

 private:
  mutable std::vector<std::size_t> parent_;
};

}  // namespace xgen
