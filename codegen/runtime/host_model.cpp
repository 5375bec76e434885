#include "codegen/runtime/host_model.h"

#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <span>

#include "codegen/bundle/c_printer.h"
#include "codegen/bundle/sources.h"
#include "codegen/kernels/isa.h"
#include "codegen/runtime/c_compiler.h"
#include "core/error.h"

namespace xgen {

namespace {

namespace fs = std::filesystem;

// A folder that goes when its owner goes.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (fs::temp_directory_path() / "xgen-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr)
      throw UserError(str(pattern, ": cannot make a temporary folder: ", std::strerror(errno)));
    path_ = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

void write(const fs::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  if (!file.flush()) throw UserError(str(path.string(), ": cannot write: ", std::strerror(errno)));
}

struct CTensor {
  const char* name;
  const char* type;
  int rank;
  std::int64_t shape[8];
  std::size_t bytes;
};

ir::DType dtype_named(const std::string& name) {
  for (const ir::DType t : {ir::DType::f32, ir::DType::f64, ir::DType::i64, ir::DType::i32,
                            ir::DType::i8, ir::DType::u8, ir::DType::boolean}) {
    if (name == ir::name_of(t)) return t;
  }
  throw UserError(str("a model with a tensor of type \"", name, "\""));
}

// Whole pages, so that a kernel takes as long in the next process. Large memory is asked for in
// huge ones: planes lie on a page each, more than there are entries for addresses, and which lines
// of a cache level collide would be chance.
constexpr std::size_t kPage = 4096, kHugePage = 2 << 20, kLarge = 65536;
using Memory = std::unique_ptr<void, decltype(&std::free)>;
Memory allocate(std::size_t bytes) {
  const std::size_t page = bytes < kLarge ? kPage : kHugePage, all = bytes / page * page + page;
  Memory memory(std::aligned_alloc(page, all), &std::free);
  XGEN_CHECK(memory != nullptr, bytes, " bytes");
#ifdef MADV_HUGEPAGE
  // Where the system has none it says so, and pages stay small.
  if (page == kHugePage) (void)madvise(memory.get(), all, MADV_HUGEPAGE);
#endif
  return memory;
}

}  // namespace

struct HostModel::State {
  std::string prefix;
  TemporaryFolder folder;
  void* library = nullptr;
  Memory weights{nullptr, &std::free}, memory{nullptr, &std::free};
  std::size_t weight_bytes = 0, memory_bytes = 0, code_bytes = 0;
  void* model = nullptr;
  std::vector<TensorInfo> inputs, outputs;
  void (*run)(void*, const void* const*, void* const*) = nullptr;
  void (*run_step)(void*, int, const void* const*, void* const*) = nullptr;
  int (*step_count)() = nullptr;
  const char* (*step_name)(int) = nullptr;
  const char* (*kernels_name)(const void*) = nullptr;

  ~State() {
    if (library != nullptr) dlclose(library);
  }

  template <class Function>
  Function* symbol(const std::string& name) const {
    void* found = dlsym(library, (prefix + name).c_str());
    XGEN_CHECK(found != nullptr, "no symbol ", prefix, name);
    return reinterpret_cast<Function*>(found);
  }

  void open(const fs::path& path, std::span<const std::byte> weight_data) {
    library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    XGEN_CHECK(library != nullptr, dlerror());
    code_bytes = fs::file_size(path);
    weight_bytes = weight_data.size();
    weights = allocate(weight_bytes);
    if (weight_bytes > 0) std::memcpy(weights.get(), weight_data.data(), weight_bytes);
    memory_bytes = symbol<std::size_t()>("_memory_bytes")();
    memory = allocate(memory_bytes);
    run = symbol<void(void*, const void* const*, void* const*)>("_run");
    run_step = symbol<void(void*, int, const void* const*, void* const*)>("_run_step");
    step_count = symbol<int()>("_step_count");
    step_name = symbol<const char*(int)>("_step_name");
    kernels_name = symbol<const char*(const void*)>("_kernels_name");
    inputs = tensors("_input");
    outputs = tensors("_output");
    init(nullptr);
  }

  std::vector<TensorInfo> tensors(const std::string& kind) const {
    const int count = symbol<int()>(kind + "_count")();
    auto* get = symbol<const CTensor*(int)>(kind);
    std::vector<TensorInfo> result;
    for (int i = 0; i < count; ++i) {
      const CTensor& t = *get(i);
      result.push_back({t.name, dtype_named(t.type), ir::Extents(t.shape, t.shape + t.rank)});
    }
    return result;
  }

  void init(const char* wanted) {
    const char* error = nullptr;
    auto* function =
        symbol<void*(void*, std::size_t, const void*, std::size_t, const char*, const char**)>(
            "_init");
    // Memory that was never written shows what a kernel forgets to.
    std::memset(memory.get(), 0xA5, memory_bytes);
    void* made = function(memory.get(), memory_bytes, weights.get(), weight_bytes, wanted, &error);
    if (made == nullptr)
      throw UserError(str("model \"", prefix, "\": ", error,
                          wanted == nullptr ? "" : str(" (asked for ", wanted, ")")));
    model = made;
  }
};

HostModel::HostModel(std::unique_ptr<State> state) : state_(std::move(state)) {}
HostModel::HostModel(HostModel&&) noexcept = default;
HostModel& HostModel::operator=(HostModel&&) noexcept = default;
HostModel::~HostModel() = default;

HostModel HostModel::build(const Program& program, const std::vector<std::string>& wanted) {
  std::vector<const kernels::Isa*> isas;
  if (wanted.empty()) {
    isas = {kernels::host_isas().back()};
  } else {
    for (const std::string& name : wanted) isas.push_back(&kernels::find_isa(name));
  }
  auto state = std::make_unique<State>();
  state->prefix = bundle::c_identifier(program.name);
  const fs::path& folder = state->folder.path();
  write(folder / "model.h", bundle::model_header(program));
  write(folder / "kernels.h", bundle::kernels_header(program));
  write(folder / "model.c", bundle::model_source(program, isas));
  std::vector<std::string> sources = {"model.c"};
  for (const kernels::Isa* isa : isas) {
    sources.push_back(bundle::kernels_file(*isa));
    write(folder / sources.back(), bundle::kernels_source(program, *isa));
  }
  CCompiler(host_compiler()).build_library(folder, sources, folder / "model.so");
  state->open(folder / "model.so", program.weights);
  return HostModel(std::move(state));
}

HostModel HostModel::load(const fs::path& path) {
  std::ifstream manifest_file(path / "manifest.json");
  if (!manifest_file)
    throw UserError(str(path.string(), ": not a bundle: it has no manifest.json"));
  const nlohmann::json manifest = nlohmann::json::parse(manifest_file, nullptr, false);
  if (!manifest.is_object() || !manifest.contains("name") || !manifest["name"].is_string()) {
    throw UserError(
        str((path / "manifest.json").string(), ": expected an object with the model's \"name\""));
  }
  auto state = std::make_unique<State>();
  state->prefix = bundle::c_identifier(manifest["name"].get<std::string>());
  std::vector<std::string> sources;
  for (const auto& entry : fs::directory_iterator(path)) {
    const std::string name = entry.path().filename().string();
    if (name == "model.c" || (name.rfind("kernels_", 0) == 0 && entry.path().extension() == ".c"))
      sources.push_back(name);
  }
  std::sort(sources.begin(), sources.end());
  std::ifstream weights_file(path / "weights.bin", std::ios::binary);
  if (!weights_file) throw UserError(str((path / "weights.bin").string(), ": cannot read"));
  const std::string weights((std::istreambuf_iterator<char>(weights_file)), {});
  const fs::path library = state->folder.path() / "model.so";
  CCompiler(host_compiler()).build_library(path, sources, library);
  state->open(library, std::as_bytes(std::span(weights)));
  return HostModel(std::move(state));
}

void HostModel::select(const std::string& kernels) { state_->init(kernels.c_str()); }
std::string HostModel::kernels() const { return state_->kernels_name(state_->model); }
const std::vector<TensorInfo>& HostModel::inputs() const { return state_->inputs; }
const std::vector<TensorInfo>& HostModel::outputs() const { return state_->outputs; }
std::size_t HostModel::memory_bytes() const { return state_->memory_bytes; }
std::size_t HostModel::code_bytes() const { return state_->code_bytes; }

std::vector<ir::Constant> HostModel::run(const std::vector<ir::Constant>& inputs) {
  if (inputs.size() != state_->inputs.size())
    throw UserError(str("the model takes ", state_->inputs.size(), " inputs, got ", inputs.size()));
  std::vector<const void*> in;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const TensorInfo& want = state_->inputs[i];
    if (inputs[i].dtype != want.dtype || inputs[i].shape != want.shape) {
      throw UserError(str("input \"", want.name, "\": expected ", ir::name_of(want.dtype), " ",
                          ir::to_string(ir::to_shape(want.shape)), ", got ",
                          ir::name_of(inputs[i].dtype), " ",
                          ir::to_string(ir::to_shape(inputs[i].shape))));
    }
    in.push_back(inputs[i].bytes.data());
  }
  std::vector<ir::Constant> outputs;
  std::vector<void*> out;
  for (const TensorInfo& info : state_->outputs) {
    ir::Constant c{info.dtype, info.shape, {}, ir::Role::fixed};
    c.bytes.resize(static_cast<std::size_t>(c.size()) * ir::size_of(info.dtype));
    outputs.push_back(std::move(c));
  }
  for (ir::Constant& c : outputs) out.push_back(c.bytes.data());
  run_raw(in.data(), out.data());
  return outputs;
}

void HostModel::run_raw(const void* const* inputs, void* const* outputs) {
  state_->run(state_->model, inputs, outputs);
}
int HostModel::step_count() const { return state_->step_count(); }
std::string HostModel::step_name(int step) const { return state_->step_name(step); }
void HostModel::run_step(int step, const void* const* inputs, void* const* outputs) {
  state_->run_step(state_->model, step, inputs, outputs);
}

}  // namespace xgen
