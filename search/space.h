#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/random.h"

namespace xgen::search {

/// A decision that a candidate takes.
struct Parameter {
  std::string name;
  std::vector<std::string> choices;  ///< at least one.
};

/// A candidate: of each parameter of a space the index of the choice that it takes.
using Point = std::vector<int>;

/// Every combination of choices.
struct Space {
  std::string name;
  std::vector<Parameter> parameters;

  bool contains(const Point& point) const;
  double size() const;                       ///< how many candidates there are.
  Point sample(RandomStream& random) const;  ///< each choice as likely as the others.
  /// With another choice for one parameter that has several; the same point where none has.
  Point mutate(Point point, RandomStream& random) const;
};

}  // namespace xgen::search
