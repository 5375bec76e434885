#include "codegen/lower/memory_plan.h"

#include <algorithm>
#include <numeric>

#include "codegen/lower/arena_fields.h"
#include "core/error.h"

namespace xgen::lower {

namespace {

struct Life {
  int first = -1, last = -1;
};

}  // namespace

void plan_memory(Program& program, const std::vector<std::size_t>& buffer_bytes) {
  std::vector<Life> lives(buffer_bytes.size());
  for (int i = 0; i < static_cast<int>(program.steps.size()); ++i) {
    Step& step = program.steps[static_cast<std::size_t>(i)];
    visit_arena(step, [&](std::size_t& address) {
      step.buffers.insert(static_cast<int>(buffer_of(address)));
      Life& life = lives.at(buffer_of(address));
      if (life.first < 0) life.first = i;
      life.last = i;
    });
  }
  std::vector<std::size_t> order(buffer_bytes.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return buffer_bytes[a] > buffer_bytes[b]; });

  // A tile may read a vector before the first and behind the last plane.
  constexpr std::size_t kGuard = 256;
  std::vector<std::size_t> place(buffer_bytes.size(), 0);
  std::vector<std::size_t> placed;
  std::size_t end = kGuard;
  for (const std::size_t b : order) {
    if (lives[b].first < 0) continue;
    std::vector<std::size_t> rivals;
    for (const std::size_t other : placed) {
      if (lives[other].first <= lives[b].last && lives[b].first <= lives[other].last)
        rivals.push_back(other);
    }
    std::sort(rivals.begin(), rivals.end(),
              [&](std::size_t x, std::size_t y) { return place[x] < place[y]; });
    std::size_t at = kGuard;
    for (const std::size_t rival : rivals) {
      if (at + buffer_bytes[b] <= place[rival]) break;
      at = std::max(at, place[rival] + buffer_bytes[rival]);
    }
    place[b] = at;
    placed.push_back(b);
    end = std::max(end, at + buffer_bytes[b]);
  }
  for (Step& step : program.steps) {
    visit_arena(step, [&](std::size_t& address) {
      address = place[buffer_of(address)] + distance_of(address);
    });
  }
  for (std::size_t b = 0; b < buffer_bytes.size(); ++b)
    program.buffers.push_back({place[b], buffer_bytes[b]});
  program.arena_bytes = end + kGuard;
}

}  // namespace xgen::lower
