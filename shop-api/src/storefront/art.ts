/**
 * A drawing for products without a picture: the thing its category is about, in colours and a setting that follow
 * from its id, so that the same product always looks the same and neighbours differ.
 */
import { seededRandom } from '../import/seeded-random.ts'

interface Palette {
  readonly wall: string
  readonly table: string
  readonly body: string
  readonly shade: string
  readonly accent: string
}

const palettes: readonly Palette[] = [
  { wall: '#efe4d6', table: '#d9c3a5', body: '#b5593a', shade: '#8f4229', accent: '#f4efe7' },
  { wall: '#dfe7e0', table: '#bccab9', body: '#4f6f58', shade: '#3a5543', accent: '#f3f1e7' },
  { wall: '#e3e8ee', table: '#bfcad6', body: '#3d5a80', shade: '#2b4263', accent: '#f2e9dc' },
  { wall: '#f3e7c9', table: '#e0c98f', body: '#c98a1b', shade: '#9e6a0d', accent: '#fbf7ec' },
  { wall: '#efdfe0', table: '#d8b9bb', body: '#8c4a5b', shade: '#6b3543', accent: '#f7efe9' },
  { wall: '#e6e2dc', table: '#c6bdb0', body: '#5b534a', shade: '#423b34', accent: '#e9b872' },
]

type Draw = (colours: Palette) => string

const shapes: Record<string, Draw> = {
  bag: ({ body, shade, accent }) =>
    `<path d="M140 128h120l12 172q0 12-12 12H140q-12 0-12-12z" fill="${body}"/><path d="M140 128h120l3 26H137z" fill="${shade}"/><rect x="158" y="196" width="84" height="66" rx="6" fill="${accent}"/><path d="M176 220h48M176 238h32" stroke="${shade}" stroke-width="5" stroke-linecap="round"/>`,
  bottle: ({ body, shade, accent }) =>
    `<path d="M184 84h32v50q30 18 30 54v112q0 12-12 12h-68q-12 0-12-12V188q0-36 30-54z" fill="${body}"/><rect x="180" y="70" width="40" height="26" rx="5" fill="${shade}"/><rect x="154" y="206" width="92" height="64" fill="${accent}"/><path d="M172 228h56M172 246h36" stroke="${shade}" stroke-width="5" stroke-linecap="round"/>`,
  jar: ({ body, shade, accent }) =>
    `<rect x="138" y="128" width="124" height="184" rx="22" fill="${accent}"/><path d="M138 186h124v104q0 22-22 22h-80q-22 0-22-22z" fill="${body}"/><rect x="146" y="98" width="108" height="36" rx="8" fill="${shade}"/><rect x="166" y="216" width="68" height="54" rx="6" fill="${accent}"/>`,
  cup: ({ body, shade, accent }) =>
    `<path d="M262 190h22q34 0 34 36t-40 36h-22" fill="none" stroke="${shade}" stroke-width="16"/><path d="M124 164h146v88q0 60-60 60h-26q-60 0-60-60z" fill="${body}"/><ellipse cx="197" cy="164" rx="73" ry="17" fill="${shade}"/><ellipse cx="197" cy="167" rx="60" ry="11" fill="${accent}"/>`,
  plate: ({ body, shade, accent }) =>
    `<circle cx="200" cy="205" r="112" fill="${body}"/><circle cx="200" cy="205" r="78" fill="${shade}" opacity=".55"/><circle cx="200" cy="205" r="70" fill="${body}"/><path d="M150 160q30-34 80-26" fill="none" stroke="${accent}" stroke-width="6" stroke-linecap="round" opacity=".7"/>`,
  pot: ({ body, shade, accent }) =>
    `<rect x="88" y="196" width="224" height="26" rx="13" fill="${shade}"/><path d="M112 190h176v90q0 32-32 32H144q-32 0-32-32z" fill="${body}"/><path d="M108 190q4-52 92-52t92 52z" fill="${shade}"/><circle cx="200" cy="128" r="14" fill="${accent}"/>`,
  knife: ({ body, shade, accent }) =>
    `<g transform="rotate(-32 200 205)"><path d="M64 176h176v56H118q-42-6-54-56z" fill="${accent}"/><path d="M64 176h176v10H67z" fill="#fff" opacity=".7"/><rect x="238" y="174" width="104" height="36" rx="14" fill="${body}"/><circle cx="266" cy="192" r="5" fill="${shade}"/><circle cx="310" cy="192" r="5" fill="${shade}"/></g>`,
  glass: ({ body, shade, accent }) =>
    `<path d="M146 100h108l-8 96q-4 36-46 36t-46-36z" fill="${accent}" opacity=".9"/><path d="M151 160h98l-4 36q-4 36-45 36t-45-36z" fill="${body}"/><rect x="195" y="232" width="10" height="66" fill="${shade}"/><ellipse cx="200" cy="304" rx="46" ry="9" fill="${shade}"/>`,
  cloth: ({ body, shade, accent }) =>
    `<path d="M112 132h176v150q-22 16-44 0t-44 0-44 0-44 0z" fill="${body}"/><path d="M136 132v150M264 132v150" stroke="${accent}" stroke-width="8"/><path d="M148 132v152M252 132v152" stroke="${shade}" stroke-width="3"/><rect x="100" y="118" width="200" height="18" rx="9" fill="${shade}"/>`,
  lamp: ({ body, shade, accent }) =>
    `<path d="M118 240L40 312h320L282 240z" fill="${accent}" opacity=".5"/><path d="M158 96h84l44 100H114z" fill="${body}"/><rect x="195" y="196" width="10" height="96" fill="${shade}"/><ellipse cx="200" cy="300" rx="62" ry="12" fill="${shade}"/><ellipse cx="200" cy="196" rx="86" ry="10" fill="${accent}"/>`,
  candle: ({ body, shade, accent }) =>
    `<circle cx="200" cy="118" r="62" fill="${accent}" opacity=".55"/><path d="M200 84q26 34 0 56-26-22 0-56z" fill="#f0a93b"/><rect x="197" y="136" width="6" height="22" fill="${shade}"/><rect x="152" y="158" width="96" height="154" rx="10" fill="${body}"/><path d="M152 176q20 24 36 4t30 8 30-12v-8q0-10-10-10h-76q-10 0-10 10z" fill="${accent}"/>`,
  basket: ({ body, shade, accent }) =>
    `<path d="M140 196q0-92 60-92t60 92" fill="none" stroke="${shade}" stroke-width="12"/><path d="M108 192h184l-22 108q-3 12-15 12H145q-12 0-15-12z" fill="${body}"/><path d="M116 226h168M123 258h154M130 290h140" stroke="${accent}" stroke-width="6" stroke-dasharray="20 10"/><rect x="100" y="182" width="200" height="20" rx="10" fill="${shade}"/>`,
  plant: ({ body, shade, accent }) =>
    `<path d="M200 214q-70-10-76-92 70 8 76 92zm0 0q70-20 70-108-66 16-70 108zm0 0q-22-60 0-130 24 60 0 130z" fill="#5f7f5c"/><path d="M136 214h128l-16 86q-2 12-14 12h-68q-12 0-14-12z" fill="${body}"/><rect x="128" y="204" width="144" height="26" rx="6" fill="${shade}"/><path d="M160 262h80" stroke="${accent}" stroke-width="6" stroke-linecap="round"/>`,
  tool: ({ body, shade, accent }) =>
    `<g transform="rotate(28 200 200)"><rect x="186" y="76" width="28" height="116" rx="13" fill="${body}"/><rect x="193" y="186" width="14" height="44" fill="${shade}"/><path d="M164 226h72v44q0 50-36 68-36-18-36-68z" fill="${accent}"/><path d="M200 236v84" stroke="${shade}" stroke-width="4"/></g>`,
  boot: ({ body, shade, accent }) =>
    `<path d="M138 104h88v94q6 26 60 36 34 8 34 42v12H138z" fill="${body}"/><path d="M130 284h194v16q0 12-12 12H142q-12 0-12-12z" fill="${shade}"/><path d="M204 140h22M204 164h22M208 188h22" stroke="${accent}" stroke-width="8" stroke-linecap="round"/>`,
  pack: ({ body, shade, accent }) =>
    `<path d="M160 112q0-36 40-36t40 36" fill="none" stroke="${shade}" stroke-width="12"/><rect x="124" y="104" width="152" height="208" rx="44" fill="${body}"/><rect x="148" y="212" width="104" height="76" rx="16" fill="${shade}"/><path d="M148 236h104" stroke="${accent}" stroke-width="6"/><path d="M156 158h88" stroke="${accent}" stroke-width="8" stroke-linecap="round"/>`,
  jacket: ({ body, shade, accent }) =>
    `<path d="M158 104l42 20 42-20 62 40-22 64-28-12v116H146V196l-28 12-22-64z" fill="${body}"/><path d="M200 124v188" stroke="${accent}" stroke-width="5"/><path d="M158 104l42 20 42-20q-10 34-42 34t-42-34z" fill="${shade}"/>`,
  mountain: ({ body, shade, accent }) =>
    `<path d="M60 312l100-184 60 104 36-52 84 132z" fill="${body}"/><path d="M160 128l34 60-18-8-16 16-16-18-14 12z" fill="${accent}"/><path d="M256 180l84 132H216z" fill="${shade}"/>`,
  parcel: ({ body, shade, accent }) =>
    `<path d="M110 162l90-42 90 42v108l-90 42-90-42z" fill="${body}"/><path d="M110 162l90 40 90-40-90-42z" fill="${accent}"/><path d="M200 202v110l90-42V162z" fill="${shade}"/>`,
}

/** Words of category ids and the shape they call for; the first that is part of the id counts. */
const shapeWords: readonly (readonly [word: string, shape: string])[] = [
  ['coffee', 'bag'],
  ['tea', 'bag'],
  ['chocolate', 'bag'],
  ['oil', 'bottle'],
  ['preserve', 'jar'],
  ['jar', 'jar'],
  ['cookware', 'pot'],
  ['knives', 'knife'],
  ['bakeware', 'pot'],
  ['plate', 'plate'],
  ['cup', 'cup'],
  ['glass', 'glass'],
  ['linen', 'cloth'],
  ['textile', 'cloth'],
  ['light', 'lamp'],
  ['candle', 'candle'],
  ['basket', 'basket'],
  ['planter', 'plant'],
  ['tool', 'tool'],
  ['footwear', 'boot'],
  ['shoe', 'boot'],
  ['bag', 'pack'],
  ['jacket', 'jacket'],
  ['apparel', 'jacket'],
  ['shirt', 'jacket'],
  ['climb', 'mountain'],
  ['trek', 'mountain'],
  ['ski', 'mountain'],
  ['navigation', 'mountain'],
  ['pantry', 'jar'],
  ['kitchen', 'pot'],
  ['table', 'plate'],
  ['home', 'lamp'],
  ['garden', 'plant'],
]

export function shapeOf(category: string): string {
  return shapeWords.find(([word]) => category.includes(word))?.[1] ?? 'parcel'
}

function numberOf(text: string): number {
  let hash = 7
  for (const character of text) hash = (Math.imul(hash, 31) + character.codePointAt(0)!) | 0
  return hash
}

/** The address of a product's drawing. */
export const artUrl = (id: string, category: string) =>
  `/shop/art/${shapeOf(category)}/${encodeURIComponent(id)}.svg`

export function artOf(shape: string, id: string): string | undefined {
  const draw = Object.hasOwn(shapes, shape) ? shapes[shape] : undefined
  if (!draw) return undefined
  const random = seededRandom(numberOf(id))
  const colours = palettes[Math.floor(random() * palettes.length)]!
  const sunX = 70 + Math.floor(random() * 260)
  const sunY = 50 + Math.floor(random() * 60)
  const turn = shape === 'knife' || shape === 'tool' ? 0 : Math.floor(random() * 5) - 2
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 400" role="presentation"><rect width="400" height="400" fill="${colours.wall}"/>` +
    `<circle cx="${sunX}" cy="${sunY}" r="${34 + Math.floor(random() * 60)}" fill="${colours.accent}" opacity=".6"/>` +
    `<path d="M0 ${290 + Math.floor(random() * 12)}h400v120H0z" fill="${colours.table}"/>` +
    `<ellipse cx="200" cy="316" rx="130" ry="13" fill="#000" opacity=".12"/>` +
    `<g transform="rotate(${turn} 200 312)">${draw(colours)}</g></svg>`
  )
}
