"""A short film of our own, drawn and scored by ffmpeg's generators: something real to play in a new installation.

Four scenes of six seconds (dusk, a fractal, rain, life), one chord each, with a slow pulse and an echo.
"""

from __future__ import annotations

from pathlib import Path

from media_pipeline.transcoding.adapters.child_process import ChildLimits, run_child
from media_pipeline.transcoding.adapters.media_programs import ffmpeg_path

__all__ = ["DEMO_FILM_S", "draw_demo_film"]

SCENE_S = 6
SCENE_COUNT = 4
DEMO_FILM_S = SCENE_S * SCENE_COUNT
WIDTH_PX, HEIGHT_PX, FPS = 1280, 720, 24
TIMEOUT_S = 120.0

_SIZE = f"s={WIDTH_PX}x{HEIGHT_PX}:r={FPS}"
_HALF = f"s={WIDTH_PX // 2}x{HEIGHT_PX // 2}:r={FPS}"
_EIGHTH = f"s={WIDTH_PX // 8}x{HEIGHT_PX // 8}:r={FPS}"

DUSK = f"gradients={_SIZE}:c0=0x1b1464:c1=0xe1701a:c2=0x6d214f:n=3:seed=7:speed=0.012:d={SCENE_S},vignette=PI/5"
"""Three colours turning slowly."""
FRACTAL = (
    f"mandelbrot={_HALF}:start_x=-0.743643887037:start_y=0.131825904205:start_scale=0.03:end_scale=0.0008"
    f":end_pts=200:maxiter=900:outer=normalized_iteration_count,trim=duration={SCENE_S}"
    f",format=gray,gblur=sigma=0.6,scale={WIDTH_PX}:{HEIGHT_PX}:flags=lanczos,format=yuv444p"
    ",pseudocolor=preset=inferno,vignette=PI/4"
)
"""A slow dive into the sea-horse valley, calculated at half size, in the colours of embers."""
RAIN = (
    f"cellauto={_EIGHTH}:rule=110:seed=11:random_fill_ratio=0.3,trim=duration={SCENE_S}"
    f",scale={WIDTH_PX}:{HEIGHT_PX}:flags=neighbor,format=yuv444p,gblur=sigma=3"
    ",colorchannelmixer=.25:.15:0:0:.55:.3:0:0:.75:.5:.1:0,vignette=PI/4"
)
"""A cellular automaton scrolling like rain on a window."""
LIFE = (
    f"life={_EIGHTH}:seed=3:random_fill_ratio=0.18:mold=12:life_color=0xfff3b0:death_color=0xc1121f"
    f":mold_color=0x003049,trim=duration={SCENE_S},scale={WIDTH_PX}:{HEIGHT_PX}:flags=bicubic,gblur=sigma=2"
)
"""The game of life with glowing trails."""
SCENES = (DUSK, FRACTAL, RAIN, LIFE)
CHORDS_HZ = (
    (110.0, 164.81, 220.0, 277.18),
    (98.0, 146.83, 196.0, 246.94),
    (87.31, 130.81, 174.61, 220.0),
    (110.0, 164.81, 220.0, 329.63),
)
"""A, G, F, A: root, fifth, octave, third."""


async def draw_demo_film(target: Path) -> None:
    """Write the film as MP4: 24 s, 1280x720, stereo; some seconds of work. Raises ChildFailed."""
    command = [
        *(ffmpeg_path(), "-nostdin", "-hide_banner", "-v", "error"),
        *("-filter_complex", f"{_picture_graph()};{_sound_graph()}", "-map", "[picture]", "-map", "[sound]"),
        # a mezzanine: fast to write and better than anything made from it
        *("-c:v", "libx264", "-preset", "ultrafast", "-crf", "14", "-pix_fmt", "yuv420p"),
        *("-c:a", "aac", "-b:a", "192k", "-ar", "48000"),
        *("-metadata:s:a:0", "language=eng", "-movflags", "+faststart", "-t", str(DEMO_FILM_S)),
        *("-f", "mp4", "-y", str(target)),
    ]
    await run_child(command, ChildLimits(TIMEOUT_S))


def _picture_graph() -> str:
    """The scenes one after the other, each fading in from black and out to it, under a title-safe frame of light."""
    faded = [
        f"{scene},setsar=1,format=yuv420p,fade=in:d=0.7,fade=out:st={SCENE_S - 0.7}:d=0.7[scene{number}]"
        for number, scene in enumerate(SCENES)
    ]
    joined = "".join(f"[scene{number}]" for number in range(SCENE_COUNT))
    bars = HEIGHT_PX // 10
    letterbox = f"drawbox=t=fill:color=black:h={bars},drawbox=t=fill:color=black:y={HEIGHT_PX - bars}:h={bars}"
    return ";".join([*faded, f"{joined}concat=n={SCENE_COUNT}:v=1:a=0,{letterbox}[picture]"])


def _sound_graph() -> str:
    """One chord per scene: each voice a sine that swells and fades, slightly detuned between left and right."""
    parts = []
    for number, chord in enumerate(CHORDS_HZ):
        left, right = (
            "+".join(
                f"{0.16 / (voice + 1):.4f}*sin(2*PI*{frequency_hz * detune:.3f}*t)*(0.7+0.3*sin(2*PI*t/{1.5 + voice}))"
                for voice, frequency_hz in enumerate(chord)
            )
            for detune in (1.0, 1.003)
        )
        fades = f"afade=in:d=0.8,afade=out:st={SCENE_S - 1}:d=1"
        parts.append(f"aevalsrc='{left}|{right}':s=48000:d={SCENE_S},{fades}[chord{number}]")
    joined = "".join(f"[chord{number}]" for number in range(SCENE_COUNT))
    echo = "aecho=0.8:0.7:340|520:0.35|0.25,volume=1.6"
    return ";".join([*parts, f"{joined}concat=n={SCENE_COUNT}:v=0:a=1,{echo}[sound]"])
