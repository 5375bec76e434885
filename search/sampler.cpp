#include "search/sampler.h"

#include <algorithm>

#include "core/error.h"
#include "core/suggest.h"

namespace xgen::search {

namespace {

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

Point untried(const Question& question, RandomStream& random,
              const std::function<Point(RandomStream&)>& draw) {
  Point point = draw(random);
  for (int i = 0; i < 99 && was_tried(question, point); ++i) point = draw(random);
  return point;
}

}  // namespace xgen::search
