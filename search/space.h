#pragma once

#include <cstddef>
#include <optional>
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

/// Of a parameter those choices that a condition speaks of.
struct Clause {
  std::size_t parameter = 0;
  std::vector<bool> holds;  ///< by choice.
};

/// Where every clause of `when` holds, every clause of `then` must.
struct Condition {
  std::vector<Clause> when, then;
};

/// Every combination of choices that keeps all conditions.
struct Space {
  std::string name;
  std::vector<Parameter> parameters;
  std::vector<Condition> conditions = {};

  bool contains(const Point& point) const;
  double size() const;  ///< how many candidates there are, conditions not counted.
  /// Each combination that keeps the conditions as likely as the others, where they leave more than
  /// a few of a hundred. @throws UserError where they leave none.
  Point sample(RandomStream& random) const;
  /// With another choice for one parameter that has several, and where conditions ask for it for
  /// more of them; the same point where no other is possible.
  Point mutate(Point point, RandomStream& random) const;
  /// The point, changed where conditions ask for it, but never in what `fixed` holds; nothing where
  /// that cannot be.
  std::optional<Point> repaired(const Point& point, const std::vector<Clause>& fixed,
                                RandomStream& random) const;
};

}  // namespace xgen::search
