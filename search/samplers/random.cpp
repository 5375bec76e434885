#include "search/sampler.h"

namespace xgen::search {

Point random_sampler(const Question& question) {
  RandomStream random = question.random.stream("random", question.number);
  return untried(question, random,
                 [&](RandomStream& r) { return question.problem.space.sample(r); });
}

}  // namespace xgen::search
