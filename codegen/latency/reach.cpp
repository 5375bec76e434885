#include "codegen/latency/reach.h"

#include <algorithm>
#include <cstddef>

namespace xgen::latency {

namespace {

double bytes_of(const std::vector<TensorInfo>& tensors) {
  double bytes = 0;
  for (const TensorInfo& t : tensors)
    bytes +=
        static_cast<double>(ir::element_count(t.shape)) * static_cast<double>(ir::size_of(t.dtype));
  return bytes;
}

bool overlap(const Buffer& a, const Buffer& b) {
  return a.at < b.at + b.bytes && b.at < a.at + a.bytes;
}

Distance& operator+=(Distance& a, const Distance& b) {
  a.bytes += b.bytes;
  a.us += b.us;
  return a;
}

Distance operator*(double times, const Distance& d) { return {times * d.bytes, times * d.us}; }

class Runs {
 public:
  Runs(const Program& program, const std::vector<double>& step_us)
      : program_(program),
        steps_(static_cast<int>(program.steps.size())),
        first_(program.buffers.size(), -1) {
    all_.bytes = static_cast<double>(program.weights.size() + 4 * program.table_count +
                                     program.arena_bytes) +
                 bytes_of(program.inputs) + bytes_of(program.outputs);
    for (int i = 0; i < steps_; ++i) {
      Distance own{static_cast<double>(step(i).constant_bytes),
                   step_us.empty() ? 0 : step_us.at(static_cast<std::size_t>(i))};
      for (const int b : step(i).buffers) {
        own.bytes += static_cast<double>(buffer(b).bytes);
        if (int& first = first_[static_cast<std::size_t>(b)]; first < 0) first = i;
      }
      all_.us += own.us;
      own_.push_back(own);
    }
  }

  Reach of(int i) const {
    Reach reach{all_, all_, all_};
    double read = 0, written = 0;
    Distance input, output;
    for (const int b : step(i).buffers) {
      const auto bytes = static_cast<double>(buffer(b).bytes);
      const bool is_new = first_[static_cast<std::size_t>(b)] == i;
      (is_new ? written : read) += bytes;
      (is_new ? output : input) += bytes * since_last_use(i, b);
    }
    // What lies in no buffer is the caller's.
    if (read > 0) reach.input = 1 / read * input;
    if (written > 0) reach.output = 1 / written * output;
    return reach;
  }

 private:
  const Step& step(int i) const { return program_.steps[static_cast<std::size_t>(i)]; }
  const Buffer& buffer(int b) const { return program_.buffers[static_cast<std::size_t>(b)]; }
  const Distance& own(int i) const { return own_[static_cast<std::size_t>(i)]; }

  // From the last use of the buffer's place to that by step `i`, in this run or in the one before.
  // Of the two uses half is between them: each walks through its data.
  Distance since_last_use(int i, int b) const {
    Distance between;
    for (int back = 1; back <= steps_; ++back) {
      const int j = (i - back + steps_) % steps_;
      const bool used = std::any_of(step(j).buffers.begin(), step(j).buffers.end(),
                                    [&](int other) { return overlap(buffer(b), buffer(other)); });
      if (used) {
        between += 0.5 * own(i);
        between += 0.5 * own(j);
        return {std::min(all_.bytes, between.bytes), between.us};
      }
      between += own(j);
    }
    return all_;
  }

  const Program& program_;
  int steps_;
  std::vector<int> first_;     // by buffer: the step that uses it first.
  std::vector<Distance> own_;  // by step: what it touches, and how long it takes.
  Distance all_;               // of a run.
};

}  // namespace

std::vector<Reach> reach_of(const Program& program, const std::vector<double>& step_us) {
  const Runs runs(program, step_us);
  std::vector<Reach> reach;
  for (int i = 0; i < static_cast<int>(program.steps.size()); ++i) reach.push_back(runs.of(i));
  return reach;
}

}  // namespace xgen::latency
