(* Powers of two that bring the rows and columns of an integer matrix to the size of 1. *)

(* rows and columns: row i is 2^rows.(i) times, column j 2^columns.(j) times one with entries of at most 1 *)
type t = { rows : int array; columns : int array }

let of_matrix matrix =
  let size = Array.length matrix in
  let largest row = Array.fold_left (fun bits value -> max bits (Z.numbits value)) 0 row in
  let rows = Array.map largest matrix in
  let columns = Array.init size (fun j ->
    let bits = ref min_int in
    Array.iteri (fun i row -> if Z.sign row.(j) <> 0 then bits := max !bits (Z.numbits row.(j) - rows.(i))) matrix;
    if !bits = min_int then 0 else !bits) in
  { rows; columns }

let maximum values = Array.fold_left max min_int values
