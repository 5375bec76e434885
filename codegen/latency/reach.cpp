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

// Bytes that lie in any of the buffers.
double bytes_of(std::vector<Buffer> buffers) {
  std::sort(buffers.begin(), buffers.end(),
            [](const Buffer& a, const Buffer& b) { return a.at < b.at; });
  std::size_t bytes = 0, end = 0;
  for (const Buffer& b : buffers) {
    const std::size_t from = std::max(end, b.at), to = b.at + b.bytes;
    if (to <= from) continue;
    bytes += to - from;
    end = to;
  }
  return static_cast<double>(bytes);
}

// The parts of buffers that do not lie in another one.
std::vector<Buffer> without(const std::vector<Buffer>& buffers, const Buffer& other) {
  std::vector<Buffer> parts;
  for (const Buffer& b : buffers) {
    const std::size_t end = b.at + b.bytes, first = std::min(end, std::max(b.at, other.at)),
                      last = std::max(b.at, std::min(end, other.at + other.bytes));
    if (first >= last) {
      parts.push_back(b);
      continue;
    }
    if (first > b.at) parts.push_back({b.at, first - b.at});
    if (last < end) parts.push_back({last, end - last});
  }
  return parts;
}

class Runs {
 public:
  Runs(const Program& program, const std::vector<double>& step_us)
      : program_(program), steps_(static_cast<int>(program.steps.size())) {
    all_.bytes = static_cast<double>(program.weight_bytes() + 4 * program.table_count +
                                     program.arena_bytes) +
                 bytes_of(program.inputs) + bytes_of(program.outputs);
    for (int i = 0; i < steps_; ++i) {
      own_.push_back({static_cast<double>(step(i).constant_bytes),
                      step_us.empty() ? 0 : step_us.at(static_cast<std::size_t>(i))});
      all_.us += own_.back().us;
    }
  }

  Reach of(int i) const {
    Reach reach{{}, all_};
    for (const int b : step(i).buffers) reach.places.push_back({buffer(b), parts_of(i, b)});
    return reach;
  }

 private:
  const Step& step(int i) const { return program_.steps[static_cast<std::size_t>(i)]; }
  const Buffer& buffer(int b) const { return program_.buffers[static_cast<std::size_t>(b)]; }
  const Distance& own(int i) const { return own_[static_cast<std::size_t>(i)]; }
  void add_buffers(int i, std::vector<Buffer>& to) const {
    for (const int b : step(i).buffers) to.push_back(buffer(b));
  }

  // From the last use of each part of the buffer's place to that by step `i`, in this run or in the
  // one before. Of the two uses half is between them: each walks through its data.
  std::vector<Reach::Part> parts_of(int i, int b) const {
    std::vector<Reach::Part> parts;
    const auto all = static_cast<double>(buffer(b).bytes);
    std::vector<Buffer> open = {buffer(b)}, touched;
    Distance between;
    for (int back = 1; back <= steps_ && !open.empty(); ++back) {
      const int j = (i - back + steps_) % steps_;
      const double before = bytes_of(open);
      for (const int used : step(j).buffers) open = without(open, buffer(used));
      if (const double found = before - bytes_of(open); found > 0)
        parts.push_back({found / all, since(i, j, between, touched)});
      add_buffers(j, touched);
      between.bytes += own(j).bytes;
      between.us += own(j).us;
    }
    if (!open.empty()) parts.push_back({bytes_of(open) / all, all_});
    return parts;
  }
  // What lies between, and half of the two uses.
  Distance since(int i, int j, Distance between, const std::vector<Buffer>& touched) const {
    const double whole = bytes_of(touched);
    between.bytes += whole;
    for (const int use : {i, j}) {
      std::vector<Buffer> with = touched;
      add_buffers(use, with);
      between.bytes += 0.5 * (bytes_of(std::move(with)) - whole + own(use).bytes);
      between.us += 0.5 * own(use).us;
    }
    return {std::min(all_.bytes, between.bytes), between.us};
  }

  const Program& program_;
  int steps_;
  std::vector<Distance> own_;  // by step: the constants that it reads, and how long it takes.
  Distance all_;               // of a run.
};

}  // namespace

std::vector<Reach::Part> Reach::of(std::size_t address) const {
  const auto at = std::find_if(places.begin(), places.end(), [&](const Place& p) {
    return p.buffer.at <= address && address < p.buffer.at + p.buffer.bytes;
  });
  return at == places.end() ? std::vector<Part>{{1, run}} : at->parts;
}

std::vector<Reach> reach_of(const Program& program, const std::vector<double>& step_us) {
  const Runs runs(program, step_us);
  std::vector<Reach> reach;
  for (int i = 0; i < static_cast<int>(program.steps.size()); ++i) reach.push_back(runs.of(i));
  return reach;
}

}  // namespace xgen::latency
