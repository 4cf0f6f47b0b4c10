(* The inverse of a square matrix modulo q, with rows packed into integers as in fixed_point_inverse.ml.  The first entry
   that is a unit leads its row; a row without one makes the proposal fail, as it does in the other checkers. *)

exception Singular

(* L with L * rows = I modulo q *)
let inverse q rows =
  let matrix = Array.of_list (List.map Array.of_list rows) in
  let size = Array.length matrix in
  (* a field holds less than q + size q^2 *)
  let step = 8 * ((2 * Z.numbits q + Z.numbits (Z.of_int size) + 10) / 8) in
  let reduce values = Array.map (fun value -> Z.erem value q) values in
  let eliminate packed factors others =
    let sum = ref packed in
    Array.iteri (fun k factor -> if Z.sign factor <> 0 then sum := Z.add !sum (Z.mul (Z.sub q factor) others.(k))) factors;
    !sum in
  let half = Z.shift_left Z.one (step - 1) in
  let bias = Packing.bias (2 * size) step in
  let reduced = Array.make size Z.zero and pivots = Array.make size 0 in
  let free = Array.make size true in
  for i = 0 to size - 1 do
    let start = Array.init (2 * size) (fun j ->
      if j < size then Z.erem matrix.(i).(j) q else if j = size + i then Z.one else Z.zero) in
    let biased = ref (Z.add (Packing.pack step start) bias) in
    for k = 0 to i - 1 do
      let factor = Z.erem (Packing.field step half !biased pivots.(k)) q in
      if Z.sign factor <> 0 then biased := Z.add !biased (Z.mul (Z.sub q factor) reduced.(k))
    done;
    let values = reduce (Packing.unpack step (2 * size) (Z.sub !biased bias)) in
    let rec pivot j =
      if j = size then raise Singular
      else if free.(j) && Z.equal (Z.gcd values.(j) q) Z.one then j
      else pivot (j + 1) in
    let j = pivot 0 in
    free.(j) <- false;
    pivots.(i) <- j;
    let inverse = Z.invert values.(j) q in
    reduced.(i) <- Packing.pack step (reduce (Array.map (Z.mul inverse) values))
  done;
  let inverse = Array.make size Z.zero and result = Array.make size [] in
  for i = size - 1 downto 0 do
    let values = Packing.unpack step (2 * size) reduced.(i) in
    let factors = Array.init (size - 1 - i) (fun k -> values.(pivots.(i + 1 + k))) in
    let packed = Packing.pack step (Array.sub values size size) in
    let solved = reduce (Packing.unpack step size (eliminate packed factors (Array.sub inverse (i + 1) (size - 1 - i)))) in
    inverse.(i) <- Packing.pack step solved;
    result.(pivots.(i)) <- Array.to_list solved
  done;
  Array.to_list result
