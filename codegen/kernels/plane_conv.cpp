#include "codegen/kernels/plane_conv.h"

#include <algorithm>

#include "codegen/kernels/c_writer.h"

namespace xgen::kernels {

namespace {

std::string acc(int filter, int vector) { return str("a", filter, "_", vector); }

// Accumulators start at the bias. They are separate variables: g++ keeps an array of them in
// memory.
void emit_start(CWriter& c, const PlaneConvVariant& v, int vectors) {
  for (int f = 0; f < v.group; ++f) {
    std::string line = v.type == ConvType::f32 ? str("vf ", acc(f, 0), " = vf_set1(bias[", f, "])")
                                               : str("vi ", acc(f, 0), " = vi_set1(bias[", f, "])");
    for (int m = 1; m < vectors; ++m) line += str(", ", acc(f, m), " = ", acc(f, 0));
    c.line(line, ";");
  }
}

// Depthwise: accumulator k of a vector holds all four channels at every fourth position from k on.
// One lane has room for a channel alone, so there it is as in the other types.
void emit_depthwise_start(CWriter& c, int vectors) {
  for (int k = 0; k < 4; ++k) {
    std::string line = str("vi ", acc(k, 0), " = vi_load4(bias)");
    for (int m = 1; m < vectors; ++m) line += str(", ", acc(k, m), " = ", acc(k, 0));
    c.line(line, ";");
  }
}

void emit_depthwise_loop(CWriter& c, const Isa& isa, int vectors) {
  c.block("for (int i = 0; i < entries; ++i)", [&] {
    c.line("const char* p = x + list[i];");
    if (isa.lanes == 1) {
      for (int f = 0; f < 4; ++f)
        c.line(acc(f, 0), " = vi_dot(", acc(f, 0), ", vx_column(p, ", f, "), vw_set1(weights + ",
               4 * f, "));");
    } else {
      c.line("const vw w = vw_quads(weights);");
      for (int m = 0; m < vectors; ++m) {
        for (int k = 0; k < 4; ++k)
          c.line(acc(k, m), " = vi_dot(", acc(k, m), ", vx_quads(p + ", m, " * x_step + ", 4 * k,
                 "), w);");
      }
    }
    c.line("weights += 16;");
  });
}

void emit_depthwise_store(CWriter& c, int vectors) {
  c.line("const vf low0 = vf_set1(c->low0), high0 = vf_set1(c->high0), s = vf_load4(out->scale);");
  c.line("const vi zero = vi_set1(c->zero), flip = vi_set1((int32_t)XGEN_FLIP);");
  for (int m = 0; m < vectors; ++m) {
    c.block("", [&] {
      for (int k = 0; k < 4; ++k)
        c.line("const vi q", k, " = vi_add(requantize(", acc(k, m), ", s, low0, high0), zero);");
      c.line("vi_store(out->y + ", m,
             " * out->y_step, vi_xor(vi_pack_quads(q0, q1, q2, q3), flip));");
    });
  }
}

void emit_loop(CWriter& c, const PlaneConvVariant& v, int vectors) {
  const bool real = v.type == ConvType::f32;
  c.block("for (int i = 0; i < entries; ++i)", [&] {
    c.line("const char* p = x + list[i];");
    for (int m = 0; m < vectors; ++m) {
      const std::string at = m == 0 ? "p" : m == 1 ? "p + x_step" : str("p + ", m, " * x_step");
      c.line(real ? "const vf x" : "const vx x", m, " = ", real ? "vf_load(" : "vx_load(", at,
             ");");
    }
    c.line("ask_ahead(weights);");
    c.line(real ? "vf w;" : "vw w;");
    for (int f = 0; f < v.group; ++f) {
      std::string line =
          real ? str("w = vf_set1(weights[", f, "]);") : str("w = vw_set1(weights + ", 4 * f, ");");
      for (int m = 0; m < vectors; ++m) {
        line += real ? str(" ", acc(f, m), " = vf_fma(w, x", m, ", ", acc(f, m), ");")
                     : str(" ", acc(f, m), " = vi_dot(", acc(f, m), ", x", m, ", w);");
      }
      c.line(line);
    }
    c.line("weights += ", real ? v.group : 4 * v.group, ";");
  });
}

// fp32 planes: clip, add the residual, clip.
void emit_store_f32(CWriter& c, const PlaneConvVariant& v, int vectors) {
  const bool integer = v.type == ConvType::i8_f32;
  c.line(
      "const vf low0 = vf_set1(c->low0), high0 = vf_set1(c->high0), low = vf_set1(c->low), high = "
      "vf_set1(c->high);");
  for (int f = 0; f < v.group; ++f) {
    if (f > 0) c.line("if (out->count == ", f, ") return;");
    const std::string plane = f == 0 ? "out->y" : str("out->y + ", f, " * out->y_plane");
    const std::string residual =
        f == 0 ? "out->residual" : str("out->residual + ", f, " * c->residual_plane");
    c.block("", [&] {
      if (integer) c.line("const vf scale = vf_set1(out->scale[", f, "]);");
      for (int m = 0; m < vectors; ++m) {
        const std::string value =
            integer ? str("vf_mul(vi_to_f(", acc(f, m), "), scale)") : acc(f, m);
        c.line("vf v", m, " = vf_min(vf_max(", value, ", low0), high0);");
      }
      c.block("if (out->residual != NULL)", [&] {
        c.line("const char* r = ", residual, ";");
        for (int m = 0; m < vectors; ++m) {
          c.line("v", m, " = vf_min(vf_max(vf_add(v", m, ", vf_load(r + ", m,
                 " * out->residual_step)), low), high);");
        }
      });
      c.line("char* y = ", plane, ";");
      for (int m = 0; m < vectors; ++m) c.line("vf_store(y + ", m, " * out->y_step, v", m, ");");
    });
  }
}

// One output lane a quad of filters: requantize, add the residual in fixed point, pack.
void emit_store_i8(CWriter& c, const PlaneConvVariant& v, int vectors) {
  c.line("const vf low0 = vf_set1(c->low0), high0 = vf_set1(c->high0);");
  c.line("const vi zero = vi_set1(c->zero), flip = vi_set1((int32_t)XGEN_FLIP);");
  for (int quad = 0; quad < v.group / 4; ++quad) {
    if (quad > 0) c.line("if (out->count == ", quad, ") return;");
    c.block("", [&] {
      for (int f = 0; f < 4; ++f)
        c.line("const vf s", f, " = vf_set1(out->scale[", 4 * quad + f, "]);");
      for (int m = 0; m < vectors; ++m) {
        c.block("", [&] {
          for (int f = 0; f < 4; ++f) {
            c.line("vi q", f, " = requantize(", acc(4 * quad + f, m), ", s", f, ", low0, high0);");
          }
          const std::string residual =
              quad == 0 ? "out->residual" : str("out->residual + ", quad, " * c->residual_plane");
          c.block("if (out->residual != NULL)", [&] {
            c.line("const vi r = vi_xor(vi_load(", residual, " + ", m,
                   " * out->residual_step), flip);");
            for (int f = 0; f < 4; ++f)
              c.line("q", f, " = add_residual(c, q", f, ", vi_byte(r, ", f, "));");
          });
          c.line("vi_store(out->y + ", quad, " * out->y_plane + ", m,
                 " * out->y_step, vi_xor(vi_pack4(vi_add(q0, zero), vi_add(q1, zero), vi_add(q2, "
                 "zero), vi_add(q3, zero)), flip));");
        });
      }
    });
  }
}

}  // namespace

const char* name_of(ConvType type) {
  switch (type) {
    case ConvType::f32:
      return "f32";
    case ConvType::i8:
      return "i8";
    case ConvType::i8_f32:
      return "i8_f32";
    case ConvType::i8_depthwise:
      return "i8_depthwise";
  }
  return "?";
}

std::string PlaneConvVariant::symbol() const {
  return str("plane_conv_", name_of(type), "_g", group);
}

int PlaneConvVariant::planes() const {
  return type == ConvType::i8 || type == ConvType::i8_depthwise ? group / 4 : group;
}

const std::vector<PlaneConvVariant>& plane_conv_variants() {
  static const std::vector<PlaneConvVariant> variants = {
#define XGEN_PLANE_CONV(type, group) {ConvType::type, group},
#include "codegen/kernels/plane_conv.inc"
#undef XGEN_PLANE_CONV
  };
  return variants;
}

int widest_tile(const PlaneConvVariant& v, const Isa& isa) {
  if (isa.lanes == 1) return 1;
  // Each vector needs its accumulators and its input. Widening dot products hold inputs and weights
  // in pairs and need room for their products, depthwise ones read four inputs a vector: with less
  // to spare g++ 12 moves accumulators to the stack.
  const bool widens =
      v.type != ConvType::f32 && !isa.fast_int8 && isa.arch == std::string("x86_64");
  const int per_vector = v.group + (widens ? 3 : 1);
  const int spare = widens ? 11 : v.type == ConvType::i8_depthwise ? 12 : 1;
  const int fits = std::max(1, (isa.registers - spare) / per_vector);
  return std::min(fits, 8);
}

std::string emit_plane_conv(const PlaneConvVariant& v, const Isa& isa) {
  const bool real = v.type == ConvType::f32;
  const bool stores_int8 = v.type == ConvType::i8 || v.type == ConvType::i8_depthwise;
  const int widest = widest_tile(v, isa);
  CWriter c;
  for (int vectors = 1; vectors <= widest; ++vectors) {
    c.line("/* ", v.group, v.group == 1 ? " filter x " : " filters x ", vectors,
           vectors == 1 ? " vector. */" : " vectors. */");
    c.block(str("static void ", v.symbol(), "_t", vectors,
                "(const xgen_conv* c, const char* x, ptrdiff_t x_step, const int32_t* list, int "
                "entries, "
                "const char* weight_bytes, const tile_output* out)"),
            [&] {
              if (vectors == 1) c.line("(void)x_step;");
              c.line(real ? "const float* weights = (const float*)(const void*)weight_bytes;"
                          : "const char* weights = weight_bytes;");
              c.line(real ? "const float* bias = (const float*)(const void*)out->bias;"
                          : "const int32_t* bias = (const int32_t*)(const void*)out->bias;");
              if (v.type == ConvType::i8_depthwise && isa.lanes > 1) {
                emit_depthwise_start(c, vectors);
                emit_depthwise_loop(c, isa, vectors);
                emit_depthwise_store(c, vectors);
                return;
              }
              emit_start(c, v, vectors);
              v.type == ConvType::i8_depthwise ? emit_depthwise_loop(c, isa, vectors)
                                               : emit_loop(c, v, vectors);
              stores_int8 ? emit_store_i8(c, v, vectors) : emit_store_f32(c, v, vectors);
            });
    c.line();
  }
  c.block(str("static void ", v.symbol(), "(const xgen_conv* c, const xgen_context* ctx)"), [&] {
    std::string tiles = "NULL";
    for (int vectors = 1; vectors <= widest; ++vectors)
      tiles += str(", ", v.symbol(), "_t", vectors);
    c.line("static const tile_function tiles[] = {", tiles, "};");
    c.line("static const tile_kind kind = {tiles, ", widest, ", ", v.group, ", ", v.planes(), ", ",
           v.entry_bytes(), "};");
    c.line("plane_conv(c, ctx, &kind);");
  });
  c.line();
  return c.text();
}

}  // namespace xgen::kernels
