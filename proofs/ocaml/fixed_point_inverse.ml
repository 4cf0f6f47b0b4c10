(* An approximate inverse in fixed point of any precision, for matrices that are too close to singular for floats.
   A row and what belongs to it of the unit matrix are packed into one integer; it is reduced by the rows before it, and
   in the end the unknowns are solved for from the last to the first. *)

exception Singular

let shifted value by = if by >= 0 then Z.shift_left value by else Z.shift_right value (- by)

(* Q and D with Q * rows close to D I *)
let inverse precision rows =
  let matrix = Array.of_list (List.map Array.of_list rows) in
  let size = Array.length matrix in
  let scales = Scaling.of_matrix matrix in
  let unit = 2 * precision and step = 3 * precision in
  let half = Z.shift_left Z.one (step - 1) in
  let bias = Packing.bias (2 * size) step in
  let reduced = Array.make size Z.zero and pivots = Array.make size 0 in
  let free = Array.make size true in
  for i = 0 to size - 1 do
    let start = Array.init (2 * size) (fun j ->
      if j < size then shifted matrix.(i).(j) (unit - scales.rows.(i) - scales.columns.(j))
      else if j = size + i then Z.shift_left Z.one unit
      else Z.zero) in
    let biased = ref (Z.add (Packing.pack step start) bias) in
    for k = 0 to i - 1 do
      let factor = Z.shift_right (Packing.field step half !biased pivots.(k)) precision in
      if Z.sign factor <> 0 then biased := Z.sub !biased (Z.mul factor reduced.(k))
    done;
    let values = Packing.unpack step (2 * size) (Z.sub !biased bias) in
    let pivot = ref (-1) in
    for j = 0 to size - 1 do
      if free.(j) && (!pivot < 0 || Z.gt (Z.abs values.(j)) (Z.abs values.(!pivot))) then pivot := j
    done;
    free.(!pivot) <- false;
    pivots.(i) <- !pivot;
    let head = values.(!pivot) in
    if Z.sign head = 0 then raise Singular;
    reduced.(i) <- Packing.pack step (Array.map (fun value -> Z.fdiv (Z.shift_left value precision) head) values)
  done;
  let inverse = Array.make size Z.zero and result = Array.make size [||] in
  for i = size - 1 downto 0 do
    let values = Packing.unpack step (2 * size) reduced.(i) in
    let packed = ref (Packing.pack step (Array.init size (fun j -> Z.shift_left values.(size + j) precision))) in
    for k = i + 1 to size - 1 do
      let factor = values.(pivots.(k)) in
      if Z.sign factor <> 0 then packed := Z.sub !packed (Z.mul factor inverse.(k))
    done;
    let solved = Array.map (fun value -> Z.shift_right value precision) (Packing.unpack step size !packed) in
    inverse.(i) <- Packing.pack step solved;
    result.(pivots.(i)) <- solved
  done;
  (* the last quarter of the digits is not worth its cost; what is kept of an entry is shifted exactly where it must be *)
  let top = Scaling.maximum scales.rows and widest = Scaling.maximum scales.columns in
  let keep = precision / 4 in
  let row_of j =
    let by = widest - scales.columns.(j) - keep in
    List.init size (fun i -> Z.shift_left (shifted result.(j).(i) by) (top - scales.rows.(i))) in
  (List.init size row_of, Z.shift_left Z.one (precision - keep + top + widest))
