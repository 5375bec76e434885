#include "search/sampler.h"

#include <algorithm>

#include "core/error.h"
#include "core/suggest.h"

namespace xgen::search {

namespace {

constexpr int kDraws = 100;  // of a candidate that was not tried
constexpr int kSteps = 300;  // from a candidate to one that is allowed

struct Named {
  const char* name;
  Sampler sampler;
};

const std::vector<Named>& samplers() {
  static const std::vector<Named> all = {
#define XGEN_SAMPLER(name, description) {#name, name##_sampler},
#include "search/samplers.inc"
#undef XGEN_SAMPLER
  };
  return all;
}

}  // namespace

std::vector<std::string> sampler_names() {
  std::vector<std::string> names;
  for (const Named& s : samplers()) names.emplace_back(s.name);
  return names;
}

Sampler find_sampler(const std::string& name, const std::string& where) {
  for (const Named& s : samplers()) {
    if (name == s.name) return s.sampler;
  }
  throw UserError(
      str(where, ": expected a sampler, got \"", name, "\"", did_you_mean(name, sampler_names())));
}

bool was_tried(const Question& question, const Point& point) {
  return std::any_of(question.trials.begin(), question.trials.end(),
                     [&](const Trial& t) { return t.point == point; }) ||
         std::find(question.untold.begin(), question.untold.end(), point) != question.untold.end();
}

Point nearest_allowed(const Problem& problem, Point point, RandomStream& random) {
  if (problem.allows(point)) return point;
  double violation = problem.violation(point);
  for (int i = 0; i < kSteps && violation > 0; ++i) {
    Point changed = problem.space.mutate(point, random);
    const double after = problem.violation(changed);
    if (after > violation) continue;
    point = std::move(changed);
    violation = after;
  }
  return point;
}

Point untried(const Question& question, RandomStream& random,
              const std::function<Point(RandomStream&)>& draw) {
  Point point;
  for (int i = 0; i < kDraws; ++i) {
    point = nearest_allowed(question.problem, draw(random), random);
    if (!was_tried(question, point) && question.problem.allows(point)) break;
  }
  return point;
}

}  // namespace xgen::search
