(* SHA-256 (FIPS 180-4) of a string, in 63-bit integers.
   A 32-bit word x is rotated by shifting x + 2^32 x, of which 63 bits are enough for rotations by at most 31; bits above
   the lowest 32 are cleared only where a sum becomes a word again. *)

let constants = [|
  0x428a2f98; 0x71374491; 0xb5c0fbcf; 0xe9b5dba5; 0x3956c25b; 0x59f111f1; 0x923f82a4; 0xab1c5ed5;
  0xd807aa98; 0x12835b01; 0x243185be; 0x550c7dc3; 0x72be5d74; 0x80deb1fe; 0x9bdc06a7; 0xc19bf174;
  0xe49b69c1; 0xefbe4786; 0x0fc19dc6; 0x240ca1cc; 0x2de92c6f; 0x4a7484aa; 0x5cb0a9dc; 0x76f988da;
  0x983e5152; 0xa831c66d; 0xb00327c8; 0xbf597fc7; 0xc6e00bf3; 0xd5a79147; 0x06ca6351; 0x14292967;
  0x27b70a85; 0x2e1b2138; 0x4d2c6dfc; 0x53380d13; 0x650a7354; 0x766a0abb; 0x81c2c92e; 0x92722c85;
  0xa2bfe8a1; 0xa81a664b; 0xc24b8b70; 0xc76c51a3; 0xd192e819; 0xd6990624; 0xf40e3585; 0x106aa070;
  0x19a4c116; 0x1e376c08; 0x2748774c; 0x34b0bcb5; 0x391c0cb3; 0x4ed8aa4a; 0x5b9cca4f; 0x682e6ff3;
  0x748f82ee; 0x78a5636f; 0x84c87814; 0x8cc70208; 0x90befffa; 0xa4506ceb; 0xbef9a3f7; 0xc67178f2 |]

let word x = x land 0xffffffff
let twice x = x lor (x lsl 32)

(* the 64 words of a block's schedule, overwritten by every block *)
let schedule = Array.make 64 0

let rec rounds i a b c d e f g h state =
  if i = 64 then begin
    let add k x = state.(k) <- word (state.(k) + x) in
    add 0 a; add 1 b; add 2 c; add 3 d; add 4 e; add 5 f; add 6 g; add 7 h
  end else begin
    let ee = twice e and aa = twice a in
    let sum1 = word ((ee lsr 6) lxor (ee lsr 11) lxor (ee lsr 25)) in
    let choice = g lxor (e land (f lxor g)) in
    let t = h + sum1 + choice + constants.(i) + schedule.(i) in
    let sum0 = word ((aa lsr 2) lxor (aa lsr 13) lxor (aa lsr 22)) in
    let majority = (a land b) lor (c land (a lor b)) in
    rounds (i + 1) (word (t + sum0 + majority)) a b c (word (d + t)) e f g state
  end

let add_block state bytes position =
  for i = 0 to 15 do
    schedule.(i) <- word (Int32.to_int (String.get_int32_be bytes (position + 4 * i)))
  done;
  for i = 16 to 63 do
    let u = schedule.(i - 15) and v = schedule.(i - 2) in
    let uu = twice u and vv = twice v in
    let sigma0 = word ((uu lsr 7) lxor (uu lsr 18)) lxor (u lsr 3) in
    let sigma1 = word ((vv lsr 17) lxor (vv lsr 19)) lxor (v lsr 10) in
    schedule.(i) <- word (schedule.(i - 16) + sigma0 + schedule.(i - 7) + sigma1)
  done;
  rounds 0 state.(0) state.(1) state.(2) state.(3) state.(4) state.(5) state.(6) state.(7) state

(* 64 lower-case hexadecimal digits *)
let hexadecimal bytes =
  let state =
    [| 0x6a09e667; 0xbb67ae85; 0x3c6ef372; 0xa54ff53a; 0x510e527f; 0x9b05688c; 0x1f83d9ab; 0x5be0cd19 |] in
  let length = String.length bytes in
  let whole = length / 64 in
  for i = 0 to whole - 1 do add_block state bytes (64 * i) done;
  let rest = length - 64 * whole in
  (* the message ends in a bit 1, zeros, and its length in bits *)
  let last = Bytes.make (if rest < 56 then 64 else 128) '\000' in
  Bytes.blit_string bytes (64 * whole) last 0 rest;
  Bytes.set last rest '\128';
  Bytes.set_int64_be last (Bytes.length last - 8) (Int64.of_int (8 * length));
  let last = Bytes.to_string last in
  for i = 0 to String.length last / 64 - 1 do add_block state last (64 * i) done;
  String.concat "" (List.map (Printf.sprintf "%08x") (Array.to_list state))
